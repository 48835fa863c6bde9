import Cryptography
import FoundationEssentials

/// What is to become a vector: a text, or the tokens that a client has made of it.
enum EmbeddingInput: Sendable, Equatable {
    case text(String)
    case tokens([Int])

    /// SHA-256 of the UTF-8 text. Tokens begin with a byte that no UTF-8 has, so that they never meet a text.
    var contentHash: [UInt8] {
        switch self {
        case .text(let text): return SHA256.hash(text)
        case .tokens(let tokens):
            return SHA256.hash(
                tokens.reduce(into: [0xFF]) { bytes, token in
                    for shift in stride(from: 0, to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: token >> shift)) }
                })
        }
    }

    /// A byte-level tokeniser, as all embedding models have, makes no more tokens than there are bytes.
    var mostTokens: Int {
        switch self {
        case .text(let text): text.utf8.count
        case .tokens(let tokens): tokens.count
        }
    }

    /// Where the vendor does not count.
    var estimatedTokens: Int {
        switch self {
        case .text(let text): ChatWire.estimatedTokens(text)
        case .tokens(let tokens): tokens.count
        }
    }
}

/// A point in the space of one embedding model.
struct Vector: Sendable, Equatable {
    /// Little-endian float32, as vendors send it and as it is kept.
    let bytes: [UInt8]

    var dimensions: Int { bytes.count / 4 }

    /// `nil` unless it is a whole number of float32, at least one, and all finite.
    init?(bytes: [UInt8]) {
        guard !bytes.isEmpty, bytes.count % 4 == 0 else { return nil }
        // An exponent of all ones is infinity or no number.
        for at in stride(from: 0, to: bytes.count, by: 4) where bytes[at + 3] & 0x7F == 0x7F && bytes[at + 2] & 0x80 != 0 {
            return nil
        }
        self.bytes = bytes
    }

    init?(_ numbers: [Float]) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(numbers.count * 4)
        for number in numbers {
            let bits = number.bitPattern
            for shift: UInt32 in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: bits >> shift)) }
        }
        self.init(bytes: bytes)
    }

    var numbers: [Float] {
        stride(from: 0, to: bytes.count, by: 4).map { at -> Float in
            var bits: UInt32 = 0
            for place in (at..<at + 4).reversed() { bits = bits << 8 | UInt32(bytes[place]) }
            return Float(bitPattern: bits)
        }
    }
}

/// What a caller wants to know.
struct EmbeddingQuestion: Sendable, Equatable {
    /// `auto`, a model's name, or an alias.
    var model: String
    /// 1–2048, none empty, all of one kind.
    var inputs: [EmbeddingInput]
    /// Shorter vectors than the model's own; `nil` = its own.
    var dimensions: Int?
}

struct EmbeddingAnswer: Sendable, Equatable {
    /// One for each input, in their order.
    var vectors: [Vector]
    var provider: String
    var modelName: String
    /// What was paid for: nothing of what was known already.
    var promptTokens: Int
    var costNano: Int64
    var currency: String
    /// Inputs that were answered from what the tenant had asked before.
    var cachedInputs: Int
}

/// One call to a vendor: as many inputs as it should take at once.
struct EmbeddingBatch: Sendable {
    var inputs: [EmbeddingInput]
    /// As asked for; `nil` where the model's own length is wanted.
    var dimensions: Int?
    /// Names the end customer to the vendor without saying who it is.
    var customer: String
}

/// What a vendor has answered to a batch.
struct EmbeddedBatch: Sendable, Equatable {
    /// One for each input, in their order; all of one length.
    var vectors: [Vector]
    /// The model that the vendor says has answered.
    var model: String
    /// `nil`: it did not count.
    var promptTokens: Int?
}

/// A model that can be asked for vectors. Vendors' clients are such; tests script their own.
protocol EmbeddingModel: Sendable {
    /// - Throws: ``ChatFailure``, or `CancellationError` when the task was cancelled.
    func vectors(for batch: EmbeddingBatch, within budget: Duration) async throws -> EmbeddedBatch
}

/// Whose space a vector lies in. Vectors of different spaces have nothing to do with each other.
struct EmbeddingSpace: Sendable, Hashable {
    var provider: String
    var model: String
    /// 0: whatever the model gives.
    var dimensions: Int
}

/// Vectors that a tenant has paid for before, by what they were made of.
protocol EmbeddingCache: Sendable {
    /// - Returns: what there is, by content hash.
    func vectors(of hashes: [[UInt8]], in space: EmbeddingSpace, tenantId: UUID) async throws -> [[UInt8]: Vector]

    func keep(_ vectors: [(hash: [UInt8], vector: Vector)], in space: EmbeddingSpace, tenantId: UUID) async throws
}
