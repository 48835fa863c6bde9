import CArchive
import ConcurrencySupport

/// What libarchive could not do.
public struct ArchiveFailure: Error, CustomStringConvertible {
    public let description: String
}

/// Writes a ZIP archive piece by piece, never holding more than a piece; beyond 4 GB it is ZIP64 (APPNOTE 6.3, by libarchive).
///
/// All of it blocks: it belongs on a `BlockingPool`, one call at a time.
public final class ZipWriter: Sendable {
    /// Where the bytes go, and what went wrong there.
    fileprivate final class Output {
        let write: (UnsafeRawBufferPointer) throws -> Void
        var failure: (any Error)?

        init(_ write: @escaping (UnsafeRawBufferPointer) throws -> Void) { self.write = write }
    }

    private struct State: ~Copyable {
        /// `nil` once it is closed.
        var archive: OpaquePointer?
        let output: Output
    }

    /// Nothing is written to what is closed.
    private struct Closed: Error {}

    private let state: Lock<State>

    /// - Parameter write: takes the archive's bytes as they come; what it throws, the call that caused it throws.
    public init(writingTo write: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Void) throws {
        guard let archive = archive_write_new() else { throw ArchiveFailure(description: "out of memory") }
        let output = Output(write)
        archive_write_set_format_zip(archive)
        // Names are UTF-8, and marked so.
        archive_write_set_options(archive, "zip:hdrcharset=UTF-8")
        archive_write_set_bytes_per_block(archive, 1 << 16)
        archive_write_set_bytes_in_last_block(archive, 1)
        guard archive_write_open(archive, Unmanaged.passUnretained(output).toOpaque(), nil, writeBytes, nil) == ARCHIVE_OK else {
            defer { archive_write_free(archive) }
            throw Self.failure(of: archive, output)
        }
        state = Lock(State(archive: archive, output: output))
    }

    deinit { close() }

    /// Ends the archive wherever it stands, which may write its last bytes; said again, it is no harm. Whoever may fail calls this where
    /// blocking does no harm; the last reference may go anywhere.
    public func close() {
        state.withLock { state in
            guard let archive = state.archive else { return }
            archive_write_free(archive)
            state.archive = nil
        }
    }

    /// Begins a file; its bytes follow.
    ///
    /// - Parameters:
    ///   - size: its bytes, where that is known.
    ///   - modifiedAt: seconds since 1970.
    ///   - compresses: not worth it for what is compressed already.
    public func begin(_ name: String, size: Int? = nil, modifiedAt: Int, compresses: Bool) throws {
        try state.withLock { state in
            guard let archive = state.archive else { throw Closed() }
            let entry = archive_entry_new()
            defer { archive_entry_free(entry) }
            archive_entry_set_pathname_utf8(entry, name)
            archive_entry_set_filetype(entry, Self.regularFile)
            archive_entry_set_perm(entry, 0o644)
            archive_entry_set_mtime(entry, modifiedAt, 0)
            if let size { archive_entry_set_size(entry, Int64(size)) }
            let method = compresses ? archive_write_zip_set_compression_deflate : archive_write_zip_set_compression_store
            try Self.check(method(archive), archive, state)
            try Self.check(archive_write_header(archive, entry), archive, state)
        }
    }

    public func write(_ bytes: [UInt8]) throws {
        try state.withLock { state in
            guard let archive = state.archive else { throw Closed() }
            try bytes.withUnsafeBytes { buffer in
                guard buffer.count > 0 else { return }
                let written = archive_write_data(archive, buffer.baseAddress, buffer.count)
                guard written == buffer.count else { throw Self.failure(of: archive, state.output) }
            }
        }
    }

    /// Writes the archive's own table; nothing comes after that.
    public func finish() throws {
        try state.withLock { state in
            guard let archive = state.archive else { throw Closed() }
            try Self.check(archive_write_finish_entry(archive), archive, state)
            try Self.check(archive_write_close(archive), archive, state)
        }
    }

    private static func check(_ result: Int32, _ archive: OpaquePointer, _ state: borrowing State) throws {
        guard result == ARCHIVE_OK else { throw failure(of: archive, state.output) }
    }

    private static func failure(of archive: OpaquePointer, _ output: Output) -> any Error {
        if let failure = output.failure { return failure }
        return ArchiveFailure(description: archive_error_string(archive).map { String(cString: $0) } ?? "unknown")
    }

    /// As libarchive names a regular file (`AE_IFREG`, a macro with a cast).
    private static let regularFile: UInt32 = 0o100000
}

/// What libarchive calls with each block; a negative number is a failure.
private func writeBytes(
    _: OpaquePointer?, _ context: UnsafeMutableRawPointer?, _ bytes: UnsafeRawPointer?, _ count: Int
) -> Int {
    guard let context, let bytes else { return -1 }
    let output = Unmanaged<ZipWriter.Output>.fromOpaque(context).takeUnretainedValue()
    do {
        try output.write(UnsafeRawBufferPointer(start: bytes, count: count))
        return count
    } catch {
        output.failure = error
        return -1
    }
}
