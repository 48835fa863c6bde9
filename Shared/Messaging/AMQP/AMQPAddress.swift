import CRabbitMQ
import Glibc

/// The parts of an `amqp://` or `amqps://` URL.
struct AMQPAddress {
    let user: String
    let password: String
    let host: String
    let port: Int32
    let virtualHost: String
    /// `amqps`.
    let isEncrypted: Bool

    init(_ url: String) throws {
        // The library decodes in place and answers with pointers into the text.
        guard let text = strdup(url) else { throw AMQPError.connection("out of memory") }
        defer { free(text) }
        var parts = amqp_connection_info()
        guard amqp_parse_url(text, &parts) == AMQP_STATUS_OK.rawValue, let host = parts.host else {
            throw AMQPError.connection("the broker's URL is not amqp[s]://user:password@host:port/vhost")
        }
        let virtualHost = parts.vhost.map { String(cString: $0) } ?? "/"
        self.host = String(cString: host)
        self.user = parts.user.map { String(cString: $0) } ?? "guest"
        self.password = parts.password.map { String(cString: $0) } ?? "guest"
        self.port = parts.port
        isEncrypted = parts.ssl != 0
        self.virtualHost = virtualHost.isEmpty ? "/" : virtualHost
    }
}
