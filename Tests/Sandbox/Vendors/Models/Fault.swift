/// What can go wrong with a model vendor. The first fifty are, in order, the list of the vendors' behaviours that a client must survive;
/// each can be named by its raw value or its number. README.md says what each does.
enum Fault: String, Sendable, CaseIterable {
    case badRequest = "bad-request"
    case contextLengthExceeded = "context-length-exceeded"
    case contentPolicy = "content-policy"
    case unauthorized
    case balanceEmpty = "balance-empty"
    case forbidden
    case modelNotFound = "model-not-found"
    case requestTimeout = "request-timeout"
    case conflict
    case unprocessable
    case rateLimitSeconds = "rate-limit-seconds"
    case rateLimitDate = "rate-limit-date"
    case rateLimitNoHint = "rate-limit-no-hint"
    case insufficientQuota = "insufficient-quota"
    case serverError = "server-error"
    case badGatewayHTML = "bad-gateway-html"
    case overloaded
    case unknownStatus = "unknown-status"
    case resetBeforeHeaders = "reset-before-headers"
    case neverAnswer = "never-answer"
    case slowFirstToken = "slow-first-token"
    case cutMidStream = "cut-mid-stream"
    case stallMidStream = "stall-mid-stream"
    case malformedChunk = "malformed-chunk"
    case noDone = "no-done"
    case duplicateFinish = "duplicate-finish"
    case errorEvent = "error-event"
    case keepAliveComments = "keep-alive-comments"
    case blankLinesFirst = "blank-lines-first"
    case blankContent = "blank-content"
    case insufficientSystemResource = "insufficient-system-resource"
    case lengthCutJSON = "length-cut-json"
    case usageMissing = "usage-missing"
    case usageInFinishChunk = "usage-in-finish-chunk"
    case usageChunkThenDone = "usage-chunk-then-done"
    case splitBytes = "split-bytes"
    case crlf
    case oneByteWrites = "one-byte-writes"
    case gzip
    case hugeChunk = "huge-chunk"
    case invalidToolArguments = "invalid-tool-arguments"
    case unknownTool = "unknown-tool"
    case endlessToolCall = "endless-tool-call"
    case interleavedToolCalls = "interleaved-tool-calls"
    case missingReasoningContent = "missing-reasoning-content"
    case flapping
    case otherModel = "other-model"
    case slowDrip = "slow-drip"
    case staleConnection = "stale-connection"
    case concurrencyLimit = "concurrency-limit"
    // Beyond the list.
    case cutMidStreamClean = "cut-mid-stream-clean"
    case brokenJSON = "broken-json"
    case wrongSchema = "wrong-schema"
    case malformedBody = "malformed-body"
    case status
    case contentFilter = "content-filter"
    case halfClose = "half-close"
    case scripted
    case rawBytes = "raw-bytes"
    // Of pictures.
    case pictureWrongBytes = "picture-wrong-bytes"
    case pictureGone = "picture-gone"
    case pictureHuge = "picture-huge"
    case pictureElsewhere = "picture-elsewhere"
    case pictureRedirect = "picture-redirect"
    case pictureMissing = "picture-missing"
    // Of S3.
    case s3ErrorInside200 = "s3-error-inside-200"
    case s3SmallPages = "s3-small-pages"
    case s3AgedUploads = "s3-aged-uploads"
    /// No fault: changes the normal answer's parameters (pauses, usage, model).
    case none

    /// 1…50, or above for the sandbox's own.
    var number: Int { (Self.allCases.firstIndex(of: self) ?? 0) + 1 }

    init?(name: String) {
        if let number = Int(name) {
            guard (1...50).contains(number) else { return nil }
            self = Self.allCases[number - 1]
        } else {
            self.init(rawValue: name)
        }
    }
}
