import ConcurrencySupport
import Cryptography
import Glibc

/// One part of an upload on its way to its place in the whole, hashed on the way. Its calls block.
///
/// What is zero stays a hole: a file of 5 GB with little in it takes little of the disk.
final class PartFile: Sendable {
    private struct State: ~Copyable {
        var hash = SHA256.Stream()
        var written = 0
        var isOpen = true
    }

    private let path: String
    private let mark: String
    private let offset: Int
    private let size: Int
    private let descriptor: Int32
    private let lock: Int32
    /// Open for as long as somebody writes: nobody seals the whole meanwhile.
    private let gate: PartGate
    /// Nothing is there yet; an earlier try may have left something where this one has zeros.
    private let isFirstTry: Bool
    private let state = Lock(State())

    /// - Throws: ``FileFailure``, or ``ObjectFailure/partBusy`` where the same part is on its way already.
    init(in directory: String, part: ObjectPart, size: Int) throws {
        path = "\(directory)/whole"
        mark = "\(directory)/part.\(part.number)"
        offset = part.offset
        self.size = size
        let lockPath = "\(directory)/lock.\(part.number)"
        let fresh = open(lockPath, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        isFirstTry = fresh >= 0
        lock = isFirstTry ? fresh : open(lockPath, O_RDWR | O_CLOEXEC)
        guard lock >= 0 else { throw FileFailure("open", lockPath) }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            throw ObjectFailure.partBusy
        }
        do {
            guard let gate = try PartGate(in: directory, alone: false) else { throw ObjectFailure.partBusy }
            self.gate = gate
        } catch {
            close(lock)
            throw error
        }
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            let failure = FileFailure("open", path)
            close(lock)
            gate.close()
            throw failure
        }
        // From here on `deinit` cleans up.
        try Files.remove(mark)
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileFailure("fstat", path) }
        if status.st_size != part.total, ftruncate(descriptor, off_t(part.total)) != 0 { throw FileFailure("ftruncate", path) }
    }

    deinit { state.withLock { letGo(&$0) } }

    private func letGo(_ state: inout State) {
        guard state.isOpen else { return }
        state.isOpen = false
        close(descriptor)
        close(lock)
        gate.close()
    }

    func write(_ bytes: [UInt8]) throws {
        try state.withLock { state in
            guard state.written + bytes.count <= size else { throw ObjectFailure.wrongSize }
            try bytes.withUnsafeBytes { bytes in
                let place = offset + state.written
                let staysHole = try Files.isZero(bytes) && (isFirstTry || isZero(at: place, count: bytes.count))
                if !staysHole {
                    var (rest, place) = (bytes, place)
                    while !rest.isEmpty {
                        let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(place))
                        if count < 0, errno == EINTR { continue }
                        guard count > 0 else { throw FileFailure("write", path) }
                        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                        place += count
                    }
                }
                state.hash.update(bytes)
                state.written += bytes.count
            }
        }
    }

    /// Brings the part to the disk, then says that it is there, and lets go of it: whoever hears of it may send it again or complete the
    /// upload at once.
    ///
    /// - Returns: its SHA-256.
    func finish() throws -> [UInt8] {
        try state.withLock { state in
            guard state.written == size else { throw ObjectFailure.wrongSize }
            guard fsync(descriptor) == 0 else { throw FileFailure("fsync", path) }
            let descriptor = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw FileFailure("open", mark) }
            close(descriptor)
            letGo(&state)
            return state.hash.finish()
        }
    }

    /// What an earlier try has left there; a hole reads as zeros.
    private func isZero(at place: Int, count: Int) throws -> Bool {
        let there = try Files.read(descriptor, path, at: place, count: count)
        return there.withUnsafeBytes { Files.isZero($0) }
    }
}

/// Who may touch the whole of an upload in parts: any number that write parts of it, or one alone that seals it. Across processes.
struct PartGate {
    private let descriptor: Int32

    /// - Returns: `nil` where somebody else is in the way.
    init?(in directory: String, alone: Bool) throws {
        let path = "\(directory)/gate"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileFailure("open", path) }
        guard flock(descriptor, (alone ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0 else {
            close()
            return nil
        }
    }

    func close() { _ = Glibc.close(descriptor) }
}
