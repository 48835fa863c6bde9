import CMicrohttpd
import Glibc
import HTTPCore

/// Turns a ``Response`` into the library's and queues it.
enum Answer {
    /// Up to here a body is copied in one piece; a larger one stays ours and is copied into the send buffer as it goes.
    private static let copyLimit = 64 * 1024

    /// - Parameter stream: what a streamed body is read from.
    static func queue(
        _ response: Response, on connection: OpaquePointer, closing: Bool, stream: StreamReader? = nil
    ) -> MHD_Result {
        guard let raw = make(response.body, stream) else { return .NO }
        defer { MHD_destroy_response(raw) }
        for (name, value) in response.headers where !isOurs(name) {
            // The library refuses line breaks and the like; such a field is left out rather than sent broken.
            // Lent as they are: a text that is passed as a C argument is copied to the heap first.
            _ = name.withCString { name in value.withCString { MHD_add_response_header(raw, name, $0) } }
        }
        if closing { _ = MHD_add_response_header(raw, "Connection", "close") }
        return MHD_queue_response(connection, UInt32(response.status.code), raw)
    }

    private static func make(_ body: Response.Body, _ stream: StreamReader?) -> OpaquePointer? {
        switch body {
        case .none: return cmhd_response_copying(nil, 0)
        case .bytes(let bytes) where bytes.count <= copyLimit:
            return bytes.withUnsafeBytes { cmhd_response_copying($0.baseAddress, $0.count) }
        case .bytes(let bytes):
            let box = Unmanaged.passRetained(BytesReader(bytes)).toOpaque()
            return owned(
                box, MHD_create_response_from_callback(UInt64(bytes.count), 32 * 1024, readBytes, box, releaseBytesReader)
            ) {
                releaseBytesReader(box)
            }
        case .file(let slice):
            // The library closes the descriptor with the response.
            guard let descriptor = slice.takeDescriptor() else { return nil }
            guard
                let response = MHD_create_response_from_fd_at_offset64(
                    UInt64(slice.length), descriptor, UInt64(slice.offset))
            else {
                close(descriptor)
                return nil
            }
            return response
        case .stream:
            guard let stream else { return nil }
            let box = Unmanaged.passRetained(stream).toOpaque()
            return owned(
                box, MHD_create_response_from_callback(cmhd_size_unknown(), 8 * 1024, readStream, box, releaseStreamReader)
            ) {
                releaseStreamReader(box)
            }
        }
    }

    /// A response that could not be made never calls its free function.
    private static func owned(_ box: UnsafeMutableRawPointer, _ response: OpaquePointer?, release: () -> Void) -> OpaquePointer? {
        if response == nil { release() }
        return response
    }

    /// The library writes the framing itself.
    private static func isOurs(_ name: String) -> Bool {
        switch name.utf8.count {
        case 14: name.lowercased() == "content-length"
        case 17: name.lowercased() == "transfer-encoding"
        default: false
        }
    }
}

/// A large body on its way out.
private final class BytesReader: Sendable {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func read(at position: Int, into destination: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(destination.count, bytes.count - position)
        guard count > 0 else { return cmhd_end_of_stream() }
        bytes.withUnsafeBytes {
            destination.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[position..<position + count]))
        }
        return count
    }
}

private func readBytes(
    _ context: UnsafeMutableRawPointer?, _ position: UInt64, _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int
) -> Int {
    guard let context, let buffer else { return cmhd_end_with_error() }
    return Unmanaged<BytesReader>.fromOpaque(context).takeUnretainedValue()
        .read(at: Int(position), into: UnsafeMutableRawBufferPointer(start: buffer, count: size))
}

private func releaseBytesReader(_ context: UnsafeMutableRawPointer?) {
    if let context { Unmanaged<BytesReader>.fromOpaque(context).release() }
}

/// Lets the library pull a streamed body out of its pipe.
final class StreamReader: Sendable {
    private let exchange: Exchange
    private let pipe: BodyPipe

    init(exchange: Exchange, pipe: BodyPipe) {
        self.exchange = exchange
        self.pipe = pipe
    }

    fileprivate func read(into destination: UnsafeMutableRawBufferPointer) -> Int {
        exchange.streamWillRead()
        switch pipe.read(into: destination, wake: exchange.streamIsReadable) {
        case .bytes(let count): return count
        case .wait:
            exchange.suspendStream()
            return 0
        case .end: return cmhd_end_of_stream()
        case .failed: return cmhd_end_with_error()
        }
    }
}

private func readStream(
    _ context: UnsafeMutableRawPointer?, _ position: UInt64, _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int
) -> Int {
    guard let context, let buffer else { return cmhd_end_with_error() }
    return Unmanaged<StreamReader>.fromOpaque(context).takeUnretainedValue()
        .read(into: UnsafeMutableRawBufferPointer(start: buffer, count: size))
}

private func releaseStreamReader(_ context: UnsafeMutableRawPointer?) {
    if let context { Unmanaged<StreamReader>.fromOpaque(context).release() }
}
