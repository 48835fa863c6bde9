import ConcurrencySupport
import FoundationEssentials
import Lifecycle
import Observability

/// Knows who stands behind a key. What it read is believed for a moment, so that a busy key costs no query per request; a key that
/// was revoked elsewhere works that much longer. When a key was last used is written down every few seconds.
final class APIKeyDirectory: Service {
    private struct Entry {
        var keyId: UUID
        var member: Member?
        var freshUntil: ContinuousClock.Instant
    }

    private struct State {
        var entries: [[UInt8]: Entry] = [:]
        /// Since the last time they were written down.
        var used: [UUID: (tenantId: UUID, at: Date)] = [:]
    }

    private static let freshness = Duration.milliseconds(500)
    private static let entryLimit = 10_000
    /// As an access token: a stream ends and comes back, and finds out what has changed.
    private static let memberLifetime: TimeInterval = 900

    private let store: APIKeysStore
    private let logger: Logger
    private let state = Lock(State())

    init(store: APIKeysStore, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// - Returns: `nil` for a key that is unknown, revoked or expired; which of them is nobody's business.
    func member(for key: String) async throws -> Member? {
        let hash = APIKeys.hash(of: key)
        let known = state.withLock { state -> Entry? in
            guard let entry = state.entries[hash], entry.freshUntil > .now else { return nil }
            if let member = entry.member { state.used[entry.keyId] = (member.tenantId, Date()) }
            return entry
        }
        if let known { return known.member.flatMap { $0.isExpired ? nil : $0 } }
        // An unknown key is not remembered: guesses must not fill the memory, and they are limited by address.
        guard let found = try await store.find(hash: hash) else { return nil }
        let now = Date()
        let isGood = found.revokedAt == nil && found.expiresAt.map { $0 > now } ?? true
        let member = Member(
            tenantId: found.tenantId, subject: "client:\(found.id.text)", roles: [],
            permissions: Set(found.scopes.compactMap(Permission.init)).filter(\.isGrantableToKeys),
            expiresAt: min(found.expiresAt ?? .distantFuture, now.addingTimeInterval(Self.memberLifetime)))
        state.withLock { state in
            if state.entries.count >= Self.entryLimit { state.entries.removeAll() }
            state.entries[hash] = Entry(keyId: found.id, member: isGood ? member : nil, freshUntil: .now + Self.freshness)
            if isGood { state.used[found.id] = (found.tenantId, now) }
        }
        return isGood ? member : nil
    }

    func forget(_ hash: [UInt8]) { _ = state.withLock { $0.entries.removeValue(forKey: hash) } }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(5))
                await self.recordUse()
            }
        }
        await recordUse()
    }

    /// Writes down which keys were used. What cannot be written is lost: it is information for people, and comes again with the next use.
    func recordUse() async {
        let used = state.withLock { state in
            defer { state.used = [:] }
            return state.used
        }
        for (tenantId, keys) in Dictionary(grouping: used, by: \.value.tenantId) {
            do {
                try await store.recordUse(keys.map { ($0.key, $0.value.at) }, of: tenantId)
            } catch {
                logger.warning("the last use of API keys could not be recorded", ["error": "\(error)"])
            }
        }
    }
}
