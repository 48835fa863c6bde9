import ConcurrencySupport
import Cryptography
import Glibc

/// A call of the file system that failed.
struct FileFailure: Error, CustomStringConvertible {
    let call: String
    let path: String
    let code: Int32

    /// Right after the call.
    init(_ call: String, _ path: String) {
        self.call = call
        self.path = path
        code = errno
    }

    var description: String { "\(call) \(path): \(String(cString: strerror(code)))" }
}

/// A file that is being written, hashed on the way. Its calls block: they belong on a `BlockingPool`, one at a time.
final class ObjectFile: Sendable {
    private struct State: ~Copyable {
        var descriptor: Int32
        var hash = SHA256.Stream()
        var size = 0
    }

    let path: String
    private let state: Lock<State>

    /// - Throws: ``FileFailure``.
    init(creating path: String) throws {
        self.path = path
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileFailure("open", path) }
        state = Lock(State(descriptor: descriptor))
    }

    /// What was neither finished nor abandoned is not left behind.
    deinit { abandon() }

    /// Removes it, unless it is finished. Whoever may fail calls this where blocking does no harm; the last reference may go anywhere.
    func abandon() {
        state.withLock { state in
            guard state.descriptor >= 0 else { return }
            close(state.descriptor)
            unlink(path)
            state.descriptor = -1
        }
    }

    /// What is zero stays a hole.
    func write(_ bytes: [UInt8]) throws {
        try state.withLock { state in
            try bytes.withUnsafeBytes { bytes in
                if Files.isZero(bytes) {
                    guard lseek(state.descriptor, off_t(bytes.count), SEEK_CUR) >= 0 else { throw FileFailure("lseek", path) }
                    return
                }
                var rest = bytes
                while !rest.isEmpty {
                    let count = Glibc.write(state.descriptor, rest.baseAddress, rest.count)
                    if count < 0, errno == EINTR { continue }
                    guard count > 0 else { throw FileFailure("write", path) }
                    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                }
            }
            bytes.withUnsafeBytes { state.hash.update($0) }
            state.size += bytes.count
        }
    }

    /// Brings everything to the disk. The file stays where it is; whoever called moves or removes it.
    func finish() throws -> (size: Int, sha256: [UInt8]) {
        try state.withLock { state in
            // Where it ends in a hole.
            guard ftruncate(state.descriptor, off_t(state.size)) == 0 else { throw FileFailure("ftruncate", path) }
            guard fsync(state.descriptor) == 0 else { throw FileFailure("fsync", path) }
            close(state.descriptor)
            state.descriptor = -1
            return (state.size, state.hash.finish())
        }
    }
}

/// The file system as ``LocalObjectStore`` needs it. All of it blocks.
enum Files {
    static func makeDirectory(_ path: String) throws {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw FileFailure("mkdir", path) }
    }

    /// With all those above it.
    static func makeDirectories(_ path: String) throws {
        var made = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            made += "/\(part)"
            try makeDirectory(made)
        }
    }

    /// A second name for the same bytes, or a copy where the file system has no such thing. What has the second name already stays.
    ///
    /// - Returns: `false` where there is no such file.
    static func link(_ path: String, to copy: String) throws -> Bool {
        if Glibc.link(path, copy) == 0 { return true }
        if errno == ENOENT { return false }
        guard let (source, size) = try open(path) else { return false }
        defer { close(source) }
        // Never into a file that is there: it may be the only name of other bytes.
        let target = Glibc.open(copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard target >= 0 else { throw FileFailure("open", copy) }
        defer { close(target) }
        var offset: off_t = 0
        while offset < size {
            let sent = sendfile(target, source, &offset, size - Int(offset))
            guard sent > 0 else { throw FileFailure("sendfile", copy) }
        }
        return true
    }

    /// Brings a file's bytes to the disk.
    static func sync(_ path: String) throws {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFailure("open", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileFailure("fsync", path) }
    }

    /// Removes a directory and all that is in it; one that is not there is removed already.
    static func removeTree(_ path: String) throws {
        for name in names(in: path) {
            let inner = "\(path)/\(name)"
            if isDirectory(inner) { try removeTree(inner) } else { try remove(inner) }
        }
        guard rmdir(path) == 0 || errno == ENOENT else { throw FileFailure("rmdir", path) }
    }

    /// Replaces what is there, and makes sure that it stays so.
    static func move(_ old: String, to new: String) throws {
        guard rename(old, new) == 0 else { throw FileFailure("rename", old) }
        try syncDirectory(of: new)
    }

    private static func syncDirectory(of path: String) throws {
        let parent = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        let descriptor = Glibc.open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFailure("open", parent) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileFailure("fsync", parent) }
    }

    static func remove(_ path: String) throws {
        guard unlink(path) == 0 || errno == ENOENT else { throw FileFailure("unlink", path) }
    }

    static func removeDirectory(_ path: String) throws {
        for name in names(in: path) { try remove("\(path)/\(name)") }
        guard rmdir(path) == 0 || errno == ENOENT || errno == ENOTEMPTY else { throw FileFailure("rmdir", path) }
    }

    /// Empty where there is no such directory.
    static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Size and age in seconds; `nil` where there is no such thing.
    static func status(_ path: String) -> (size: Int, seconds: Int)? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        return (Int(status.st_size), max(0, time(nil) - status.st_mtim.tv_sec))
    }

    /// A link to one is none.
    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// An open regular file; `nil` where there is none.
    static func open(_ path: String) throws -> (descriptor: Int32, size: Int)? {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw FileFailure("open", path)
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            return nil
        }
        return (descriptor, Int(status.st_size))
    }

    /// Whether it may as well be a hole.
    static func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress, bytes.count > 8 else { return false }
        guard bytes.prefix(8).allSatisfy({ $0 == 0 }) else { return false }
        return memcmp(base, base + 8, bytes.count - 8) == 0
    }

    /// At most `count` bytes from `offset` on.
    static func read(_ descriptor: Int32, _ path: String, at offset: Int, count: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count, let base = buffer.baseAddress {
                let read = pread(descriptor, base + filled, count - filled, off_t(offset + filled))
                if read < 0, errno == EINTR { continue }
                guard read >= 0 else { throw FileFailure("read", path) }
                if read == 0 { return }
                filled += read
            }
        }
    }
}
