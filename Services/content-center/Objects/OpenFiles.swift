import ConcurrencySupport
import FoundationEssentials
import Glibc

/// Kept objects that were fetched a moment ago, still open: the next fetch needs neither the disk's word nor another thread. Bytes never
/// change under an id, so all that can become untrue is that the object is there; another replica's removal shows after ``validity``.
final class OpenFiles: Sendable {
    static let validity = Duration.seconds(5)
    static let most = 256

    /// Closed with the last reference to it.
    private final class File: Sendable {
        let descriptor: Int32
        let size: Int
        let goodUntil = ContinuousClock.now + OpenFiles.validity

        init(descriptor: Int32, size: Int) {
            self.descriptor = descriptor
            self.size = size
        }

        deinit { close(descriptor) }
    }

    private let files = Lock<[UUID: File]>([:])

    /// A descriptor of the caller's own.
    func take(_ object: UUID) -> (descriptor: Int32, size: Int)? {
        // The lock is held for the look alone: every download comes by here.
        guard let file = files.withLock({ $0[object] }) else { return nil }
        guard file.goodUntil > .now else {
            forget(object)
            return nil
        }
        let own = fcntl(file.descriptor, F_DUPFD_CLOEXEC, 0)
        return own < 0 ? nil : (own, file.size)
    }

    /// Keeps a descriptor like the given one, which stays the caller's.
    func put(_ descriptor: Int32, size: Int, of object: UUID) {
        let own = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard own >= 0 else { return }
        let file = File(descriptor: own, size: size)
        let gone = files.withLock { files -> [File?] in
            var gone = Self.takeOld(from: &files)
            if files.count >= Self.most, let one = files.keys.first { gone.append(files.removeValue(forKey: one)) }
            gone.append(files.updateValue(file, forKey: object))
            return gone
        }
        // Closed here, outside the lock.
        _ = consume gone
    }

    /// A removed file's place on the disk is free when nobody has it open any more.
    func dropOld() {
        let gone = files.withLock { Self.takeOld(from: &$0) }
        _ = consume gone
    }

    private static func takeOld(from files: inout [UUID: File]) -> [File?] {
        let old = files.filter { $0.value.goodUntil <= .now }
        return old.keys.map { files.removeValue(forKey: $0) }
    }

    func forget(_ object: UUID) { _ = files.withLock { $0.removeValue(forKey: object) } }
}
