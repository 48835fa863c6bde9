/// The same for an answer in one JSON body.
struct BodyWriter {
    let answer: Answer
    let fault: Fault?
    let parameters: FaultParameters

    func plan() -> WirePlan {
        let delay = parameters.int("latencyMs") ?? parameters.int("firstTokenDelayMs") ?? 0
        let before: [WirePlan.Step] = delay > 0 ? [.wait(milliseconds: delay)] : []
        let half = answer.body.count / 2
        let head = answer.head(framing: "Content-Length: \(answer.body.count)")
        switch fault {
        case .cutMidStream, .cutMidStreamClean:
            return WirePlan(
                steps: before + [.send(head + answer.body[..<half])], ending: parameters.bool("reset") ? .reset : .close)
        case .stallMidStream:
            let begun = before + [.send(head + answer.body[..<half])]
            guard let pause = parameters.int("stallMs") else { return WirePlan(steps: begun, ending: .hold) }
            return WirePlan(steps: begun + [.wait(milliseconds: pause), .send(Array(answer.body[half...]))])
        case .slowFirstToken:
            return WirePlan(
                steps: [.send(head), .wait(milliseconds: parameters.int("firstTokenDelayMs") ?? 10_000), .send(answer.body)])
        case .slowDrip: return drip(head)
        case .keepAliveComments, .blankLinesFirst: return blankLines()
        case .malformedChunk:
            let broken = Array(answer.body[..<half])
            return WirePlan(steps: before + [.send(answer.head(framing: "Content-Length: \(half)") + broken)])
        case .errorEvent:
            let error = ErrorAnswers.answer(for: .serverError, parameters: parameters)
            return WirePlan(steps: before + [.send(error?.bytes ?? answer.bytes)])
        case .splitBytes: return WirePlan(steps: [.send(head)] + splitInsideCharacters())
        case .oneByteWrites: return WirePlan(steps: (head + answer.body).map { .send([$0]) })
        case .gzip: return WirePlan(steps: before + [.send(gzipped())])
        case .halfClose: return WirePlan(steps: before + [.send(head + answer.body), .halfClose], ending: .hold)
        default: return WirePlan(steps: before + [.send(head + answer.body)])
        }
    }

    private func drip(_ head: [UInt8]) -> WirePlan {
        let gap = parameters.int("tokenGapMs") ?? 5_000
        let pieces = stride(from: 0, to: answer.body.count, by: 16).map {
            Array(answer.body[$0..<min($0 + 16, answer.body.count)])
        }
        return WirePlan(steps: [.send(head)] + pieces.flatMap { [.wait(milliseconds: gap), .send($0)] })
    }

    /// DeepSeek's sign of life for answers in one piece: empty lines before the JSON.
    private func blankLines() -> WirePlan {
        let total = parameters.int("forMs") ?? 5_000
        let interval = max(1, parameters.int("intervalMs") ?? 1_000)
        var steps: [WirePlan.Step] = [.send(answer.head(framing: "Transfer-Encoding: chunked"))]
        for start in stride(from: 0, to: total, by: interval) {
            steps += [.send(StreamWriter.httpChunk([0x0A])), .wait(milliseconds: min(interval, total - start))]
        }
        return WirePlan(steps: steps + [.send(StreamWriter.httpChunk(answer.body)), .send(StreamWriter.lastChunk)])
    }

    private func splitInsideCharacters() -> [WirePlan.Step] {
        var pieces: [[UInt8]] = [[]]
        for byte in answer.body {
            pieces[pieces.count - 1].append(byte)
            if byte >= 0xC0 { pieces.append([]) }
        }
        return pieces.flatMap { [.send($0), .wait(milliseconds: 1)] }
    }

    private func gzipped() -> [UInt8] {
        var gzip = Gzip()
        var packed = gzip.header
        packed += gzip.block(answer.body)
        packed += gzip.end()
        var compressed = answer
        compressed.headers.append(("Content-Encoding", "gzip"))
        return compressed.head(framing: "Content-Length: \(packed.count)") + packed
    }
}
