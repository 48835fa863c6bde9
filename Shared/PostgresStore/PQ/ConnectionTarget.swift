import CPostgres
import ConcurrencySupport
import ConfigReading
import Glibc

/// Where to connect and how: the URL's settings joined with those that this module needs.
struct ConnectionTarget: Sendable {
    let url: Secret
    let applicationName: String
    let statementTimeout: Duration

    /// Resolves the name and begins to connect. Blocks: name servers, certificate files.
    func begin() throws -> PQHandle {
        var settings = try parse()
        if settings["hostaddr"] == nil, let host = settings["host"], !host.isEmpty, !host.hasPrefix("/"), !host.hasPrefix("@") {
            // libpq would resolve the name on whatever thread polls; given an address it keeps the name for TLS only.
            let addresses = try resolve(host)
            settings["hostaddr"] = addresses.joined(separator: ",")
            settings["host"] = addresses.map { _ in host }.joined(separator: ",")
        }
        let ours = [
            "TimeZone=UTC", "DateStyle=ISO", "bytea_output=hex", "jit=off", "statement_timeout=\(statementTimeout.milliseconds)",
            "idle_in_transaction_session_timeout=60000",
        ]
        settings["options"] = ([settings["options"]].compactMap { $0 } + ours.map { "-c \($0)" }).joined(separator: " ")
        settings["client_encoding"] = "UTF8"
        settings["application_name"] = settings["application_name"] ?? applicationName
        settings["gssencmode"] = settings["gssencmode"] ?? "disable"
        settings["keepalives_idle"] = settings["keepalives_idle"] ?? "15"
        settings["keepalives_interval"] = settings["keepalives_interval"] ?? "5"
        settings["keepalives_count"] = settings["keepalives_count"] ?? "3"
        settings["tcp_user_timeout"] = settings["tcp_user_timeout"] ?? "10000"
        return try PQHandle(settings: settings)
    }

    static func complaint(about url: Secret) -> String? {
        let target = ConnectionTarget(url: url, applicationName: "", statementTimeout: .zero)
        do {
            _ = try target.parse()
            return nil
        } catch {
            return (error as? PostgresError)?.message ?? "cannot be read"
        }
    }

    private func parse() throws -> [String: String] {
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(url.exposed, &message) else {
            // The message can quote the URL, and with it the password.
            PQfreemem(message)
            throw PostgresError(sqlState: "08001", message: "the database URL is malformed")
        }
        defer { PQconninfoFree(options) }
        var settings: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { settings[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        return settings
    }

    private func resolve(_ host: String) throws -> [String] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG
        var found: UnsafeMutablePointer<addrinfo>?
        var status = getaddrinfo(host, nil, &hints, &found)
        if status != 0 {
            hints.ai_flags = 0  // a machine with nothing but a loopback interface
            status = getaddrinfo(host, nil, &hints, &found)
        }
        guard status == 0 else {
            throw PostgresError(sqlState: "08001", message: "cannot resolve \(host): \(String(cString: gai_strerror(status)))")
        }
        defer { freeaddrinfo(found) }
        var addresses: [String] = []
        var entry = found
        while let info = entry?.pointee {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            if getnameinfo(info.ai_addr, info.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0 {
                let address = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                if !addresses.contains(address) { addresses.append(address) }
            }
            entry = info.ai_next
        }
        return addresses
    }
}
