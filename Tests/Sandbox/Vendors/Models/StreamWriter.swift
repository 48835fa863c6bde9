/// Turns a model's answer into bytes on the wire, faults included. A pure function of its input: tests read the plan instead of a socket.
struct StreamWriter {
    let wire: ChatWire
    let answer: ChatAnswer
    let fault: Fault?
    let parameters: FaultParameters

    private var lineEnd: String { fault == .crlf ? "\r\n" : "\n" }

    func plan() -> WirePlan {
        var events = wire.chunks(answer, interleavesToolCalls: fault == .interleavedToolCalls).map(event)
        if fault != .noDone { events.append(event("[DONE]")) }
        let first = parameters.int("firstTokenDelayMs") ?? 0
        let gap = parameters.int("tokenGapMs") ?? 0
        var before = [WirePlan.Step.wait(milliseconds: first)]
        var after = gap
        switch fault {
        case .slowFirstToken: before = [.wait(milliseconds: parameters.int("firstTokenDelayMs") ?? 10_000)]
        case .slowDrip: after = parameters.int("tokenGapMs") ?? 5_000
        case .keepAliveComments: before = waiting(with: ": keep-alive" + lineEnd + lineEnd)
        case .blankLinesFirst: before = waiting(with: lineEnd)
        case .cutMidStream: return cut(events, gap: gap, ending: parameters.bool("reset") ? .reset : .close)
        case .cutMidStreamClean: return cut(events, gap: gap, ending: .keepAlive)
        case .stallMidStream: return stall(events, gap: gap)
        case .malformedChunk:
            events.insert(Array("data: {\"id\":\"chatcmpl-1\",\"choices\":[{\"del\n\n".utf8), at: tokens(of: events))
        case .errorEvent:
            let error = ErrorAnswers.envelope(type: "server_error", "The server had an error while processing your request.")
            events = Array(events.prefix(tokens(of: events))) + [event(error.text)]
        case .duplicateFinish: events = duplicateFinish(events)
        case .gzip: return gzipped(events, before: before, gap: gap)
        case .splitBytes: return split(events)
        case .oneByteWrites: return oneByOne(events)
        case .halfClose: return halfClosed(events)
        default: break
        }
        return assemble(events.map { [$0] }, before: before, gap: after)
    }

    // MARK: Pieces

    private func event(_ payload: String) -> [UInt8] { Array(("data: " + payload + lineEnd + lineEnd).utf8) }

    /// How many events go out before the fault.
    private func tokens(of events: [[UInt8]]) -> Int { min(parameters.int("afterTokens") ?? 3, max(0, events.count - 3)) }

    private func head(_ extra: [(String, String)] = []) -> [UInt8] {
        Answer(
            status: 200, headers: wire.headers(id: answer.id) + [("Cache-Control", "no-cache")] + extra,
            contentType: "text/event-stream; charset=utf-8", body: []
        ).head(framing: "Transfer-Encoding: chunked")
    }

    static func httpChunk(_ bytes: [UInt8]) -> [UInt8] {
        Array(String(bytes.count, radix: 16).utf8) + [0x0D, 0x0A] + bytes + [0x0D, 0x0A]
    }

    static let lastChunk = Array("0\r\n\r\n".utf8)

    private func assemble(
        _ groups: [[[UInt8]]], before: [WirePlan.Step] = [], gap: Int = 0, ending: WirePlan.Ending = .keepAlive,
        isComplete: Bool = true
    ) -> WirePlan {
        var steps: [WirePlan.Step] = [.send(head())] + before.filter { $0 != .wait(milliseconds: 0) }
        for (index, group) in groups.enumerated() {
            if index > 0, gap > 0 { steps.append(.wait(milliseconds: gap)) }
            steps += group.map { .send(Self.httpChunk($0)) }
        }
        if isComplete { steps.append(.send(Self.lastChunk)) }
        return WirePlan(steps: steps, ending: ending)
    }

    /// A sign of life every interval for the set time.
    private func waiting(with sign: String) -> [WirePlan.Step] {
        let total = parameters.int("forMs") ?? 5_000
        let interval = max(1, parameters.int("intervalMs") ?? 1_000)
        return stride(from: 0, to: total, by: interval).flatMap { start -> [WirePlan.Step] in
            [.send(Self.httpChunk(Array(sign.utf8))), .wait(milliseconds: min(interval, total - start))]
        }
    }

    // MARK: Faults

    private func cut(_ events: [[UInt8]], gap: Int, ending: WirePlan.Ending) -> WirePlan {
        assemble(
            events.prefix(tokens(of: events)).map { [$0] }, gap: gap, ending: ending, isComplete: ending == .keepAlive)
    }

    private func stall(_ events: [[UInt8]], gap: Int) -> WirePlan {
        let count = tokens(of: events)
        guard let pause = parameters.int("stallMs") else {
            return assemble(events.prefix(count).map { [$0] }, gap: gap, ending: .hold, isComplete: false)
        }
        var plan = assemble(events.prefix(count).map { [$0] }, gap: gap, isComplete: false)
        plan.steps.append(.wait(milliseconds: pause))
        plan.steps += events.dropFirst(count).map { .send(Self.httpChunk($0)) } + [.send(Self.lastChunk)]
        return plan
    }

    private func duplicateFinish(_ events: [[UInt8]]) -> [[UInt8]] {
        guard let finish = events.firstIndex(where: { String(decoding: $0, as: UTF8.self).contains("\"finish_reason\":\"") })
        else {
            return events
        }
        var events = events
        events.insert(events[finish], at: finish)
        return events
    }

    private func gzipped(_ events: [[UInt8]], before: [WirePlan.Step], gap: Int) -> WirePlan {
        var gzip = Gzip()
        var steps: [WirePlan.Step] =
            [.send(head([("Content-Encoding", "gzip")]))] + before.filter { $0 != .wait(milliseconds: 0) }
        steps.append(.send(Self.httpChunk(gzip.header)))
        for (index, event) in events.enumerated() {
            if index > 0, gap > 0 { steps.append(.wait(milliseconds: gap)) }
            steps.append(.send(Self.httpChunk(gzip.block(event))))
        }
        steps += [.send(Self.httpChunk(gzip.end())), .send(Self.lastChunk)]
        return WirePlan(steps: steps)
    }

    /// Cuts after every `da` and inside every character of several bytes; a pause lets each piece travel alone.
    private func split(_ events: [[UInt8]]) -> WirePlan {
        let bytes = Array(events.joined())
        var pieces: [[UInt8]] = []
        var piece: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            piece.append(byte)
            let isInsideName =
                piece.suffix(2).elementsEqual("da".utf8) && index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: "t")
            if isInsideName || byte >= 0xC0 {
                pieces.append(piece)
                piece = []
            }
        }
        pieces.append(piece)
        var plan = assemble(pieces.map { [$0] })
        plan.steps = plan.steps.flatMap { [$0, .wait(milliseconds: 1)] }
        return plan
    }

    private func oneByOne(_ events: [[UInt8]]) -> WirePlan {
        let plan = assemble(events.map { [$0] })
        return WirePlan(steps: plan.bytes.map { .send([$0]) })
    }

    /// The answer is whole, but the server's FIN comes before the last chunk has been read, and it goes on listening.
    private func halfClosed(_ events: [[UInt8]]) -> WirePlan {
        var plan = assemble(events.map { [$0] }, ending: .hold)
        plan.steps.append(.halfClose)
        return plan
    }
}

/// Gzip with stored blocks: a valid stream without a compressor.
struct Gzip {
    private var checksum: UInt32 = 0xFFFF_FFFF
    private var size = 0

    let header: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF]

    mutating func block(_ bytes: [UInt8]) -> [UInt8] {
        for byte in bytes {
            checksum ^= UInt32(byte)
            for _ in 0..<8 { checksum = checksum & 1 == 1 ? checksum >> 1 ^ 0xEDB8_8320 : checksum >> 1 }
        }
        size += bytes.count
        var output: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 65_535) {
            let part = bytes[start..<min(start + 65_535, bytes.count)]
            output += Self.stored(UInt16(part.count), isLast: false) + part
        }
        return output
    }

    mutating func end() -> [UInt8] {
        let trailer = [~checksum, UInt32(truncatingIfNeeded: size)].flatMap { value in
            (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        return Self.stored(0, isLast: true) + trailer
    }

    private static func stored(_ count: UInt16, isLast: Bool) -> [UInt8] {
        [isLast ? 1 : 0] + [count, ~count].flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
    }
}
