public import HTTPCore

/// One event of a `text/event-stream` (HTML Living Standard §9.2).
public struct ServerSentEvent: Sendable, Equatable {
    public var id: String?
    /// The event's name; `nil` = `message`.
    public var event: String?
    /// May hold newlines; each line becomes a `data:` line.
    public var data: String

    public init(id: String? = nil, event: String? = nil, data: String) {
        self.id = id
        self.event = event
        self.data = data
    }

    /// The event's lines with the blank one that ends it. Line breaks inside `id` and `event` are dropped: they would forge fields.
    func encode() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(data.utf8.count + 48)
        func line(_ name: String, _ value: some Sequence<UInt8>) {
            bytes.append(contentsOf: name.utf8)
            bytes.append(contentsOf: value)
            bytes.append(0x0A)
        }
        if let id { line("id: ", id.utf8.filter { $0 != 0x0A && $0 != 0x0D && $0 != 0 }) }
        if let event { line("event: ", event.utf8.filter { $0 != 0x0A && $0 != 0x0D }) }
        // CR, LF and CRLF all end a line for the reader.
        var rest = Array(data.utf8)[...]
        while let end = rest.firstIndex(where: { $0 == 0x0A || $0 == 0x0D }) {
            line("data: ", rest[..<end])
            let isPair = rest[end] == 0x0D && rest.index(after: end) < rest.endIndex && rest[rest.index(after: end)] == 0x0A
            rest = rest[(end + (isPair ? 2 : 1))...]
        }
        line("data: ", rest)
        bytes.append(0x0A)
        return bytes
    }
}

/// The writing end of an event stream.
public struct EventWriter: Sendable {
    let body: BodyWriter

    /// Waits while the client reads too slowly.
    ///
    /// - Throws: ``ClientLeft`` or `CancellationError`.
    public func send(_ event: ServerSentEvent) async throws { try await body.write(event.encode()) }

    /// A line that readers ignore and proxies see.
    public func comment(_ text: String) async throws {
        try await body.write(Array(": ".utf8) + text.utf8.filter { $0 != 0x0A && $0 != 0x0D } + [0x0A, 0x0A])
    }
}

extension Response {
    /// A `text/event-stream` that lives until `produce` returns or the client leaves, with a heartbeat comment in between.
    ///
    /// When the server drains, the task is cancelled and the stream ends properly; clients come back with `Last-Event-ID`.
    public static func eventStream(
        heartbeat: Duration = .seconds(15), headers: HTTPHeaders = [:],
        _ produce: @escaping @Sendable (EventWriter) async throws -> Void
    ) -> Response {
        var headers = headers
        headers["Content-Type"] = "text/event-stream"
        headers["Cache-Control"] = "no-store"
        // nginx and its relatives buffer otherwise.
        headers["X-Accel-Buffering"] = "no"
        return Response(
            .ok, headers: headers,
            body: .stream { body in
                let writer = EventWriter(body: body)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await produce(writer) }
                    group.addTask {
                        while true {
                            try await writer.comment("heartbeat")
                            try await Task.sleep(for: heartbeat)
                        }
                    }
                    // The heartbeat only ends by a throw: the first to end is the producer, or a failure.
                    defer { group.cancelAll() }
                    try await group.next()
                }
            })
    }
}
