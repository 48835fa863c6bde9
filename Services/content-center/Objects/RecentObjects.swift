import ConcurrencySupport
import FoundationEssentials
import Glibc
import HTTPServing

/// Kept objects that were fetched a moment ago: small ones held in memory, so that they go out in one piece with their answer's head,
/// larger ones still open. The next fetch needs neither the disk's word nor another thread. Bytes never change under an id, so all that
/// can become untrue is that the object is there; another replica's removal shows after ``validity``.
final class RecentObjects: Sendable {
    static let validity = Duration.seconds(5)
    static let most = 256
    /// Bytes; a larger one is left open instead. With ``most`` of them it is 16 MB.
    static let heldSize = 64 * 1024

    /// Closed with the last reference to it.
    private final class Entry: Sendable {
        let file: StoredFile
        let goodUntil = ContinuousClock.now + RecentObjects.validity

        init(_ file: StoredFile) { self.file = file }

        deinit { if case .descriptor(let descriptor, _) = file { close(descriptor) } }
    }

    private let entries = Lock<[UUID: Entry]>([:])

    /// A descriptor is the caller's own.
    func take(_ object: UUID) -> StoredFile? {
        // The lock is held for the look alone: every download comes by here.
        guard let entry = entries.withLock({ $0[object] }) else { return nil }
        guard entry.goodUntil > .now else {
            forget(object)
            return nil
        }
        guard case .descriptor(let descriptor, let size) = entry.file else { return entry.file }
        let own = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        return own < 0 ? nil : .descriptor(own, size: size)
    }

    /// Keeps the bytes, or a descriptor like the given one, which stays the caller's.
    func put(_ file: StoredFile, of object: UUID) {
        var file = file
        if case .descriptor(let descriptor, let size) = file {
            let own = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
            guard own >= 0 else { return }
            file = .descriptor(own, size: size)
        }
        let entry = Entry(file)
        let gone = entries.withLock { entries -> [Entry?] in
            var gone = Self.takeOld(from: &entries)
            if entries.count >= Self.most, let one = entries.keys.first { gone.append(entries.removeValue(forKey: one)) }
            gone.append(entries.updateValue(entry, forKey: object))
            return gone
        }
        // Closed here, outside the lock.
        _ = consume gone
    }

    /// A removed file's place on the disk is free when nobody has it open any more.
    func dropOld() {
        let gone = entries.withLock { Self.takeOld(from: &$0) }
        _ = consume gone
    }

    private static func takeOld(from entries: inout [UUID: Entry]) -> [Entry?] {
        let old = entries.filter { $0.value.goodUntil <= .now }
        return old.keys.map { entries.removeValue(forKey: $0) }
    }

    func forget(_ object: UUID) { _ = entries.withLock { $0.removeValue(forKey: object) } }
}
