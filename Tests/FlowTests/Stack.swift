import ConcurrencySupport
import ConfigReading
import DTO
import Foundation
import HTTPCalling
import HTTPCore
import PostgresStore
import Testing

/// The running product: the five executables, PostgreSQL, RabbitMQ and the sandbox, as `make test` started them.
struct Stack: Sendable {
    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    /// A signed-in person.
    struct Member: Sendable {
        let login: LoginAnswer
        let stack: Stack

        func post(_ path: String, _ body: some Encodable, key: String? = nil) async throws -> ClientResponse {
            var headers: HTTPHeaders = ["Authorization": "Bearer \(login.accessToken)", "Content-Type": "application/json"]
            headers["Idempotency-Key"] = key
            return try await stack.http.send(
                ClientRequest(.post, stack.url(path), headers: headers, body: .bytes(try JSON.encode(body))))
        }

        func get(_ path: String) async throws -> ClientResponse {
            try await stack.http.send(
                ClientRequest(.get, stack.url(path), headers: ["Authorization": "Bearer \(login.accessToken)"]))
        }
    }

    let http = HTTPClient()
    private let environment: [String: String]

    /// Reads the file that `STACK_ENV_FILE` names.
    init() throws {
        guard let path = ProcessInfo.processInfo.environment["STACK_ENV_FILE"] else {
            throw Missing(description: "STACK_ENV_FILE is not set: run the flow tests with `make test`")
        }
        environment = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").reduce(into: [:]) { values, line in
            let pair = line.split(separator: "=", maxSplits: 1)
            if pair.count == 2 { values[String(pair[0])] = String(pair[1]).trimmingCharacters(in: ["\"", "'"]) }
        }
    }

    func value(_ key: String) throws -> String {
        guard let value = environment[key] else { throw Missing(description: "\(key) is not in the stack's environment file") }
        return value
    }

    func url(_ path: String) -> String { (environment["GATEWAY_URL"] ?? "") + path }

    /// - Parameter prefix: `DEMO` or `DEMO2`.
    func member(_ prefix: String = "DEMO") async throws -> Member {
        let body = LoginRequest(email: try value("\(prefix)_EMAIL"), password: try value("\(prefix)_PASSWORD"))
        let response = try await http.send(
            ClientRequest(
                .post, url("/api/auth/login"), headers: ["Content-Type": "application/json"], body: .bytes(try JSON.encode(body)))
        )
        return Member(login: try JSON.decode(LoginAnswer.self, from: response.body), stack: self)
    }

    /// What one service's database holds, as its administrator sees it.
    func rows(_ database: String, _ sql: SQL) async throws -> RowSet {
        let connection = Database(configuration: .init(url: Secret(try value("\(database)_DATABASE_URL")), poolSize: 1))
        let result: Result<RowSet, any Error>
        do { result = .success(try await connection.query(sql)) } catch { result = .failure(error) }
        await connection.close()
        return try result.get()
    }
}
