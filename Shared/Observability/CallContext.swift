import ConcurrencySupport
public import FoundationEssentials

/// W3C Trace Context, level 1: which trace a piece of work belongs to and which span is its parent.
public struct TraceContext: Sendable, Hashable {
    /// 16 bytes as 32 lower-case hexadecimal digits, not all zero.
    public let traceId: String
    /// 8 bytes as 16 lower-case hexadecimal digits, not all zero.
    public let spanId: String
    public let isSampled: Bool
    /// Made by ``makeRoot(isSampled:)``: no span has this id, so that the first span of the trace gets no parent.
    let isUnstarted: Bool

    public init(traceId: String, spanId: String, isSampled: Bool) {
        self.init(traceId: traceId, spanId: spanId, isSampled: isSampled, isUnstarted: false)
    }

    private init(traceId: String, spanId: String, isSampled: Bool, isUnstarted: Bool) {
        self.traceId = traceId
        self.spanId = spanId
        self.isSampled = isSampled
        self.isUnstarted = isUnstarted
    }

    /// A new trace whose first span is still to come.
    public static func makeRoot(isSampled: Bool = true) -> TraceContext {
        TraceContext(traceId: randomHex(words: 2), spanId: randomHex(words: 1), isSampled: isSampled, isUnstarted: true)
    }

    public static func == (lhs: TraceContext, rhs: TraceContext) -> Bool {
        lhs.traceId == rhs.traceId && lhs.spanId == rhs.spanId && lhs.isSampled == rhs.isSampled
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(traceId)
        hasher.combine(spanId)
        hasher.combine(isSampled)
    }

    /// A new span in the same trace.
    public func makeChild() -> TraceContext {
        TraceContext(traceId: traceId, spanId: Self.randomHex(words: 1), isSampled: isSampled)
    }

    /// Reads a `traceparent` header; `nil` for anything that the specification calls invalid.
    public init?(traceparent: String) {
        let parts = traceparent.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[0].count == 2, parts[1].count == 32, parts[2].count == 16, parts[3].count == 2,
            parts[0].elementsEqual("00".utf8) ? parts.count == 4 : !parts[0].elementsEqual("ff".utf8),
            parts.prefix(4).allSatisfy({ $0.allSatisfy(Self.isLowerHex) }),
            !parts[1].allSatisfy({ $0 == UInt8(ascii: "0") }), !parts[2].allSatisfy({ $0 == UInt8(ascii: "0") }),
            let flags = UInt8(String(decoding: parts[3], as: UTF8.self), radix: 16)
        else { return nil }
        self.init(
            traceId: String(decoding: parts[1], as: UTF8.self), spanId: String(decoding: parts[2], as: UTF8.self),
            isSampled: flags & 1 == 1)
    }

    public var traceparent: String { "00-\(traceId)-\(spanId)-\(isSampled ? "01" : "00")" }

    private static func isLowerHex(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }

    /// 16 digits per word; never all zero.
    private static func randomHex(words: Int) -> String {
        let digits: StaticString = "0123456789abcdef"
        var generator = BufferedRandom()
        return String(unsafeUninitializedCapacity: words * 16) { text in
            for word in 0..<words {
                var bits = UInt64.random(in: 1 ... .max, using: &generator)
                for digit in 0..<16 {
                    text[word * 16 + digit] = digits.utf8Start[Int(bits & 15)]
                    bits >>= 4
                }
            }
            return words * 16
        }
    }
}

/// What travels beside a piece of work: over the hops as headers, inside a process as a task-local. Log lines and spans read it.
public struct CallContext: Sendable {
    /// The span that is running now.
    public var trace: TraceContext
    /// Names one request at the entrance; kept over all hops. Matches `[\w-]{8,64}`.
    public var requestId: String
    /// Names one intended operation; a repeat with the same id finds what was done instead of doing it again.
    public var operationId: UUID?
    public var tenantId: UUID?
    /// The flow's name (design §2), e.g. `TitleGeneration`.
    public var flow: String?
    /// After this instant nobody waits for the answer.
    public var deadline: ContinuousClock.Instant?

    public init(
        trace: TraceContext = .makeRoot(), requestId: String, operationId: UUID? = nil, tenantId: UUID? = nil,
        flow: String? = nil,
        deadline: ContinuousClock.Instant? = nil
    ) {
        self.trace = trace
        self.requestId = requestId
        self.operationId = operationId
        self.tenantId = tenantId
        self.flow = flow
        self.deadline = deadline
    }

    @TaskLocal public static var current: CallContext?
}
