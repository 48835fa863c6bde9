import ConcurrencySupport
import Cryptography
import DTO
import FoundationEssentials
import HTTPCore
import Observability
import ServiceDefaults

/// Has one picture made and paid for at most once, and always knows which of three it is: made, not made, unknown (law 1).
///
/// 1. agent-center holds the price against the budget, under a ticket that follows from the picture: a repeat gets the same hold.
/// 2. An attempt row is written, then the image service is called. It knows no idempotency, so a row that is still there when somebody
///    comes back says that nobody knows: the picture is `unconfirmed`, counts as paid, and is not asked for again by itself. A person may
///    ask for it anew.
/// 3. What came is written down (the bytes too, until they are an asset), the hold is settled, the picture kept in content-center.
///
/// A refusal that provably made nothing takes the row and the hold away; where it passes, the run's patience tries again.
struct PictureMaking: Sendable {
    let images: any ImageService
    let attempts: any PictureAttempts
    let budget: any PictureBudget
    let library: any PictureLibrary
    let logger: Logger
    /// Before a picture that was made, but whose address does not answer, is asked for again.
    var pauses: [Duration] = [1, 2, 4, 8, 15].map { .seconds($0) } + Array(repeating: .seconds(30), count: 19)
    /// However long the address says that it will be away.
    var longestPause = Duration.seconds(30)
    /// After this no attempt begins, whatever time the attempts themselves have taken: ten minutes of the hour or so that addresses live.
    var patience = Duration.seconds(600)

    /// Names a picture in the run and in agent-center's ledger; from 1.
    static func step(_ number: Int) -> String { "image:\(number)" }

    /// - Returns: the asset.
    /// - Throws: ``ImageFailure``, or what agent-center and content-center answered.
    func callAsFunction(_ order: PictureOrder, in run: RunContext) async throws -> UUID {
        let end = Deadline.after(patience)
        for pause in pauses {
            do {
                return try await unbroken(order, in: run)
            } catch let failure as ImageFailure where failure.kind == .unfetched {
                let next = Deadline.after(min(max(pause, failure.retryAfter ?? .zero), longestPause))
                guard next <= end else { throw failure }
                // What is known of it stands in its row: nothing is paid for again, and waiting may be broken off.
                try await next.sleep()
            }
        }
        return try await unbroken(order, in: run)
    }

    /// Paid work is not broken off in the middle: cancelling takes effect between pictures.
    private func unbroken(_ order: PictureOrder, in run: RunContext) async throws -> UUID {
        let reference = PictureReference(tenant: run.principal.tenantId, run: run.id, number: order.number)
        return try await Task { try await picture(order, reference, run.principal) }.value
    }

    private func picture(_ order: PictureOrder, _ reference: PictureReference, _ principal: Principal) async throws -> UUID {
        var attempt: PictureAttempt
        if let found = try await attempts.find(reference) {
            attempt = found
            if attempt.state == .calling {
                logger.warning("a picture is unconfirmed", ["run": reference.run.uuidString, "picture": "\(reference.number)"])
                attempt.state = .unconfirmed
                try await attempts.save(attempt, as: reference)
            }
        } else {
            attempt = try await called(order, reference, principal)
        }
        if !attempt.isSettled {
            try await budget.settle(
                SpendingSettlement(
                    step: Self.step(order.number), ticketId: attempt.ticketId, images: 1, latencyMs: attempt.latencyMs,
                    promptSha256: Hex.encode(SHA256.hash(Array(order.prompt.utf8)))), as: principal)
            attempt.isSettled = true
            try await attempts.markSettled(reference)
        }
        switch attempt.state {
        case .calling, .unconfirmed: throw ImageFailure(.unconfirmed, message: "the call's end is not known")
        case .unusable: throw ImageFailure(.unusable, message: "no picture came")
        case .kept(let assetId): return assetId
        case .answered(let address): return try await kept(&attempt, at: address, reference, principal)
        }
    }

    // MARK: The paid call

    private func called(
        _ order: PictureOrder, _ reference: PictureReference, _ principal: Principal
    ) async throws -> PictureAttempt {
        let model = images.model
        let hold = try await budget.hold(
            SpendingHoldRequest(
                step: Self.step(order.number), scene: "\(order.platform.rawValue)-image-text-zh", provider: model.provider,
                model: model.name, images: 1, ticketId: reference.ticketId), as: principal)
        var attempt = PictureAttempt(ticketId: hold.ticketId)
        guard hold.state == .granted else {
            // Paid before, and nobody has written down what for.
            attempt.state = .unconfirmed
            attempt.isSettled = true
            try await attempts.save(attempt, as: reference)
            return attempt
        }
        guard try await attempts.begin(attempt, as: reference) else { throw PictureInProgress() }
        let start = ContinuousClock.now
        do throws(ImageFailure) {
            let generated = try await images.generate(order.prompt, shape: order.shape)
            attempt.latencyMs = Int((ContinuousClock.now - start).milliseconds)
            switch generated {
            case .picture(let picture):
                attempt.state = .answered(address: nil)
                attempt.picture = picture
            case .address(let address): attempt.state = .answered(address: address)
            }
        } catch {
            attempt.latencyMs = Int((ContinuousClock.now - start).milliseconds)
            logger.warning(
                "no picture", ["run": reference.run.uuidString, "picture": "\(reference.number)", "reason": "\(error.message)"])
            switch error.certainty {
            case .notMade:
                try await attempts.forget(reference)
                try await budget.release(
                    SpendingRelease(step: Self.step(order.number), ticketId: hold.ticketId), as: principal)
                throw error
            case .unknown: attempt.state = .unconfirmed
            case .made: attempt.state = .unusable
            }
        }
        try await attempts.save(attempt, as: reference)
        return attempt
    }

    // MARK: Keeping

    private func kept(
        _ attempt: inout PictureAttempt, at address: String?, _ reference: PictureReference, _ principal: Principal
    ) async throws -> UUID {
        if attempt.picture == nil {
            guard let address else { throw ImageFailure(.unusable, message: "the picture is gone") }
            do throws(ImageFailure) {
                attempt.picture = try await images.fetch(address)
            } catch {
                if error.kind == .unusable {
                    attempt.state = .unusable
                    try await attempts.save(attempt, as: reference)
                }
                throw error
            }
            // Addresses last an hour; bytes last until they are an asset.
            try await attempts.save(attempt, as: reference)
        }
        guard let picture = attempt.picture else { throw ImageFailure(.unusable, message: "the picture is gone") }
        let asset = try await library.keep(picture, as: principal)
        attempt.state = .kept(assetId: asset.id)
        attempt.picture = nil
        try await attempts.save(attempt, as: reference)
        return asset.id
    }
}

struct PictureOrder: Sendable {
    /// From 1.
    var number: Int
    var platform: ContentPlatform
    var prompt: String
    var shape: ImageShape
}

/// Which picture of which run.
struct PictureReference: Sendable, Hashable {
    var tenant: UUID
    var run: UUID
    var number: Int

    /// The same for the same picture, so that a process that died between the hold and the attempt row blocks nobody.
    var ticketId: UUID {
        var bytes = SHA256.hash(Array("picture \(run.uuidString) \(number)".utf8))
        // RFC 9562 §5.8: version 8, whatever its maker likes.
        bytes[6] = bytes[6] & 0x0F | 0x80
        bytes[8] = bytes[8] & 0x3F | 0x80
        return bytes.prefix(16).withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
    }
}

/// What is known of a picture's paid call.
struct PictureAttempt: Sendable, Equatable {
    enum State: Sendable, Equatable {
        /// Written before the call; nobody has said yet how it ended.
        case calling
        case unconfirmed
        case unusable
        /// The picture is at this address, or at hand.
        case answered(address: String?)
        case kept(assetId: UUID)
    }

    var state = State.calling
    /// agent-center's hold.
    var ticketId: UUID
    var latencyMs = 0
    /// Whether agent-center knows that it was paid.
    var isSettled = false
    /// The bytes, from the answer until they are an asset.
    var picture: Picture?

    init(ticketId: UUID) { self.ticketId = ticketId }
}

/// The attempt rows.
protocol PictureAttempts: Sendable {
    func find(_ reference: PictureReference) async throws -> PictureAttempt?
    /// - Returns: `false` if there is a row already: somebody else is at it.
    func begin(_ attempt: PictureAttempt, as reference: PictureReference) async throws -> Bool
    func save(_ attempt: PictureAttempt, as reference: PictureReference) async throws
    /// Notes the payment, and leaves the rest as it is.
    func markSettled(_ reference: PictureReference) async throws
    func forget(_ reference: PictureReference) async throws
    func kept(in run: UUID, of tenant: UUID) async throws -> [(number: Int, assetId: UUID)]
}

/// Another process, which has lost the run's lease without knowing, is at this very picture.
struct PictureInProgress: HTTPFailure {
    var problem: ProblemDescription {
        ProblemDescription(
            status: .conflict, code: "image.in_progress",
            title: LocalizedText(zh: "图片正在生成", en: "The picture is being made"), retryable: true)
    }
}
