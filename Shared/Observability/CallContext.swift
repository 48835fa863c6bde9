import ConcurrencySupport
public import FoundationEssentials

/// W3C Trace Context, level 1: which trace a piece of work belongs to and which span is its parent.
///
/// Kept as numbers: contexts are copied many times per request, and copying a number counts no references. Only what is written down
/// becomes text.
public struct TraceContext: Sendable, Hashable {
    private let traceHigh: UInt64
    private let traceLow: UInt64
    private let span: UInt64
    public let isSampled: Bool
    /// Made by ``makeRoot(isSampled:)``: no span has this id, so that the first span of the trace gets no parent.
    let isUnstarted: Bool

    private init(traceHigh: UInt64, traceLow: UInt64, span: UInt64, isSampled: Bool, isUnstarted: Bool = false) {
        self.traceHigh = traceHigh
        self.traceLow = traceLow
        self.span = span
        self.isSampled = isSampled
        self.isUnstarted = isUnstarted
    }

    /// 16 bytes as 32 lower-case hexadecimal digits, not all zero.
    public var traceId: String {
        String(unsafeUninitializedCapacity: 32) { text in
            Hexadecimal.write(traceHigh, to: text, at: 0)
            Hexadecimal.write(traceLow, to: text, at: 16)
            return 32
        }
    }

    /// 8 bytes as 16 lower-case hexadecimal digits, not all zero.
    public var spanId: String {
        String(unsafeUninitializedCapacity: 16) { text in
            Hexadecimal.write(span, to: text, at: 0)
            return 16
        }
    }

    /// A new trace whose first span is still to come.
    public static func makeRoot(isSampled: Bool = true) -> TraceContext {
        TraceContext(traceHigh: random(), traceLow: random(), span: random(), isSampled: isSampled, isUnstarted: true)
    }

    public static func == (lhs: TraceContext, rhs: TraceContext) -> Bool {
        lhs.traceHigh == rhs.traceHigh && lhs.traceLow == rhs.traceLow && lhs.span == rhs.span && lhs.isSampled == rhs.isSampled
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(traceHigh)
        hasher.combine(traceLow)
        hasher.combine(span)
        hasher.combine(isSampled)
    }

    /// A new span in the same trace.
    public func makeChild() -> TraceContext {
        TraceContext(traceHigh: traceHigh, traceLow: traceLow, span: Self.random(), isSampled: isSampled)
    }

    /// Reads a `traceparent` header, `version-trace-span-flags`; `nil` for anything that the specification calls invalid.
    public init?(traceparent: String) {
        var text = traceparent
        guard let read = text.withUTF8(Self.read) else { return nil }
        self = read
    }

    private static func read(_ text: UnsafeBufferPointer<UInt8>) -> TraceContext? {
        let hyphen = UInt8(ascii: "-")
        guard text.count >= 55, text[2] == hyphen, text[35] == hyphen, text[52] == hyphen,
            let version = Hexadecimal.read(text[0..<2]), let high = Hexadecimal.read(text[3..<19]),
            let low = Hexadecimal.read(text[19..<35]), let span = Hexadecimal.read(text[36..<52]),
            let flags = Hexadecimal.read(text[53..<55]),
            // Later versions may go on.
            version != 0xFF, text.count == 55 || (version != 0 && text[55] == hyphen),
            high | low != 0, span != 0
        else { return nil }
        return TraceContext(traceHigh: high, traceLow: low, span: span, isSampled: flags & 1 == 1)
    }

    public var traceparent: String {
        String(unsafeUninitializedCapacity: 55) { text in
            func put(_ bytes: StaticString, at start: Int) {
                for index in 0..<bytes.utf8CodeUnitCount { text[start + index] = bytes.utf8Start[index] }
            }
            put("00-", at: 0)
            Hexadecimal.write(traceHigh, to: text, at: 3)
            Hexadecimal.write(traceLow, to: text, at: 19)
            put("-", at: 35)
            Hexadecimal.write(span, to: text, at: 36)
            put(isSampled ? "-01" : "-00", at: 52)
            return 55
        }
    }

    /// Never zero.
    private static func random() -> UInt64 {
        var generator = BufferedRandom()
        return UInt64.random(in: 1 ... .max, using: &generator)
    }
}

/// Numbers as lower-case hexadecimal digits, and back.
private enum Hexadecimal {
    static func write(_ number: UInt64, to text: UnsafeMutableBufferPointer<UInt8>, at start: Int) {
        let digits: StaticString = "0123456789abcdef"
        var bits = number
        for index in (start..<start + 16).reversed() {
            text[index] = digits.utf8Start[Int(bits & 15)]
            bits >>= 4
        }
    }

    /// At most 16 digits; `nil` for anything but digits and `a` to `f`.
    static func read(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> UInt64? {
        var number: UInt64 = 0
        for byte in text {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): number = number << 4 | UInt64(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): number = number << 4 | UInt64(byte - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return number
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
