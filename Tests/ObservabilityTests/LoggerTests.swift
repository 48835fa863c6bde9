import ConcurrencySupport
import Foundation
import Observability
import Testing

@Suite struct LoggerTests {
    private let capture = LogCapture()
    private var logger: Logger { Logger(service: "content-center", level: .debug, sink: capture.sink) }

    @Test func writesOneJSONLinePerCall() throws {
        logger.info("draft saved", ["kind": "title_set", "count": 5, "ratio": 0.5, "done": true, "none": String?.none])
        let line = try #require(try capture.objects().first)
        #expect(line["level"] as? String == "info")
        #expect(line["service"] as? String == "content-center")
        #expect(line["message"] as? String == "draft saved")
        #expect(line["kind"] as? String == "title_set")
        #expect(line["count"] as? Int == 5)
        #expect(line["ratio"] as? Double == 0.5)
        #expect(line["done"] as? Bool == true)
        #expect(line["none"] is NSNull)
        let time = try #require(line["time"] as? String)
        let parsed = try #require(
            try? Date(time, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)), "\(time)")
        #expect(abs(parsed.timeIntervalSinceNow) < 60)
    }

    @Test func escapesWhatJSONWantsEscaped() throws {
        let odd = "quote \" back \\ line\nreturn\rtab\tbell\u{07} 中文 👩‍👩‍👧 \u{2028}"
        logger.warning(odd, ["key \"x\"": odd])
        let line = try #require(try capture.objects().first)
        #expect(line["message"] as? String == odd)
        #expect(line["key \"x\""] as? String == odd)
    }

    @Test func writesNumbersThatJSONDoesNotHave() throws {
        logger.info("x", ["a": Double.infinity, "b": Double.nan])
        #expect(try capture.objects().first?["a"] as? String == "inf")
    }

    @Test func carriesTheCallContext() throws {
        let (operation, tenant) = (UUID(), UUID())
        let context = CallContext(
            trace: .makeRoot(), requestId: "req-12345", operationId: operation, tenantId: tenant, flow: "TitleGeneration")
        CallContext.$current.withValue(context) { logger.info("inside") }
        logger.info("outside")
        let lines = try capture.objects()
        #expect(lines[0]["traceId"] as? String == context.trace.traceId)
        #expect(lines[0]["spanId"] as? String == context.trace.spanId)
        #expect(lines[0]["requestId"] as? String == "req-12345")
        #expect(lines[0]["operationId"] as? String == operation.uuidString.lowercased())
        #expect(lines[0]["tenant"] as? String == tenant.uuidString.lowercased())
        #expect(lines[0]["flow"] as? String == "TitleGeneration")
        #expect(lines[1]["traceId"] == nil)
    }

    @Test func anAttributeCannotForgeAReservedField() throws {
        logger.info("x", ["level": "error", "tenant": "other", "message": "y"])
        let line = try #require(try capture.objects().first)
        #expect(line["level"] as? String == "info")
        #expect(line["message"] as? String == "x")
        #expect(line["tenant"] == nil)
        #expect(line["_tenant"] as? String == "other")
    }

    @Test(arguments: [
        "authorization", "Authorization", "password", "newPassword", "user_password", "token", "accessToken", "refresh_token",
        "secret",
        "client-secret", "apiKey", "X-API-Key", "api_key", "cookie", "Set-Cookie", "phone", "phoneNumber", "mobile",
        "DATABASE_URL",
        "CONTEXT_SIGNING_KEY", "credentials", "signature",
    ])
    func redactsByName(key: String) throws {
        logger.info("x", [key: "s3cr3t"])
        logger.with([key: "s3cr3t"]).error("y")
        #expect(!capture.text.contains("s3cr3t"))
        #expect(try capture.objects().first?[key] as? String == "•••")
    }

    @Test func redactsNumbersButNotCounts() throws {
        logger.info("x", ["phone": 13_800_138_000, "promptTokens": 12, "keyword": "鞋", "tokenized": true])
        let line = try #require(try capture.objects().first)
        #expect(line["phone"] as? String == "•••")
        #expect(line["promptTokens"] as? Int == 12)
        #expect(line["keyword"] as? String == "鞋")
        #expect(line["tokenized"] as? Bool == true)
    }

    @Test func leavesOutWhatIsBelowItsLevel() {
        let quiet = Logger(service: "x", level: .warning, sink: capture.sink)
        func costly() -> String {
            Issue.record("computed though the level is off")
            return ""
        }
        quiet.debug(costly())
        quiet.info("x", ["a": costly()])
        #expect(capture.text.isEmpty)
        quiet.warning("seen")
        quiet.error("seen too")
        #expect(capture.text.split(separator: "\n").count == 2)
    }

    @Test func attributesStandInTheOrderOfTheirNamesEachOnce() throws {
        logger.with(["b": 1, "d": 2]).info("x", ["c": 3, "a": 4, "d": 5, "level": 6])
        let text = capture.text
        #expect(text.contains(#""a":4,"b":1,"c":3,"d":5,"_level":6}"#), "\(text)")
    }

    @Test func fixedAttributesStandInEveryLine() throws {
        let child = logger.with(["component": "outbox"])
        child.info("a")
        child.info("b", ["component": "relay"])
        #expect(try capture.objects().map { $0["component"] as? String } == ["outbox", "relay"])
    }
}

@Suite struct LogSinkTests {
    /// Reads on a thread of its own until the other end is closed.
    private func readAll(_ pipe: Pipe) -> OneShot<Data> {
        let text = OneShot<Data>()
        Thread.detachNewThread { text.succeed(pipe.fileHandleForReading.readDataToEndOfFile()) }
        return text
    }

    @Test func linesOfManyTasksNeverInterleave() async throws {
        let pipe = Pipe()
        let sink = LogSink.descriptor(pipe.fileHandleForWriting.fileDescriptor)
        let logger = Logger(service: "s", level: .info, sink: sink)
        let text = readAll(pipe)
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<20 {
                group.addTask {
                    for line in 0..<200 {
                        logger.info("m", ["task": task, "line": line, "pad": String(repeating: "x", count: line * 30)])
                    }
                }
            }
        }
        sink.flush(atMost: .seconds(30))
        try pipe.fileHandleForWriting.close()
        let lines = try await text.value().split(separator: 0x0A)
        #expect(lines.count == 4_000)
        for line in lines {
            let object = try JSONSerialization.jsonObject(with: line) as? [String: Any]
            let number = try #require(object?["line"] as? Int)
            #expect((object?["pad"] as? String)?.count == number * 30)
        }
    }

    @Test func aStalledReaderHoldsNobodyUpAndLosesAreTold() async throws {
        let pipe = Pipe()
        let sink = LogSink.descriptor(pipe.fileHandleForWriting.fileDescriptor)
        let line = [UInt8](repeating: 65, count: 999) + [0x0A]
        let begin = ContinuousClock.now
        // 64 kB fit into the pipe and 1 MB into the queue; nobody reads.
        for _ in 0..<3_000 { sink.write(line) }
        #expect(ContinuousClock.now - begin < .seconds(2))
        let text = readAll(pipe)
        sink.flush(atMost: .seconds(30))
        try pipe.fileHandleForWriting.close()
        let lines = try await text.value().split(separator: 0x0A)
        // One note as a rule; two where the queue overflowed before the thread had begun.
        let notes = lines.filter { $0.starts(with: Array("{\"level\"".utf8)) }
        let dropped = try notes.reduce(0) { sum, note in
            let object = try JSONSerialization.jsonObject(with: Data(note)) as? [String: Any]
            return sum + (try #require(object?["count"] as? Int))
        }
        #expect(dropped > 1_000)
        #expect(lines.count - notes.count + dropped == 3_000)
    }
}
