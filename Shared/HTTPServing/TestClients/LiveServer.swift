import Lifecycle

/// A listening server for the length of a test.
public enum LiveServer {
    /// Starts the routes on a free port, runs `body`, then drains and stops.
    public static func serving<Value: Sendable>(
        _ router: Router, configuration: HTTPServer.Configuration = .init(port: 0),
        _ body: @escaping @Sendable (HTTPServer) async throws -> Value
    ) async throws -> Value {
        let server = HTTPServer(configuration: configuration, router: router)
        try await server.start()
        return try await testGracefulShutdown { trigger in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await server.run() }
                defer { trigger.triggerGracefulShutdown() }
                let result: Result<Value, any Error>
                do { result = .success(try await body(server)) } catch { result = .failure(error) }
                trigger.triggerGracefulShutdown()
                try await group.waitForAll()
                return try result.get()
            }
        }
    }
}
