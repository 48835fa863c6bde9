import CMicrohttpd
import HTTPCore

/// What stands before the body, copied out of the library's buffers, and whether we go on with it.
struct RequestHead {
    let method: HTTPMethod
    let headers: HTTPHeaders
    /// Why the message's framing is not to be trusted: the connection is closed after the refusal.
    let framingFault: BadRequest?
    /// The size of names, values and their separators.
    let headerBytes: Int
    let contentLength: Int?
    let hasBody: Bool

    init(connection: OpaquePointer, method: UnsafePointer<CChar>) {
        var reader = HeaderReader()
        reader.headers.reserveCapacity(16)
        withUnsafeMutablePointer(to: &reader) { cmhd_each_header(connection, readHeader, $0) }
        self.method = HTTPMethod(String(cString: method))
        headers = reader.headers
        headerBytes = reader.bytes
        framingFault = reader.framingFault
        contentLength = reader.contentLength
        hasBody = reader.isChunked || (reader.contentLength ?? 0) > 0
    }

    var expectsContinue: Bool { headers["Expect"]?.lowercased() == "100-continue" }
}

/// Collects header fields and counts those that decide where a message ends: two readers that disagree about that are how requests get
/// smuggled (RFC 9112 §11.2). The library takes the last one silently.
private struct HeaderReader {
    var headers = HTTPHeaders()
    var bytes = 0
    var contentLength: Int?
    var isChunked = false
    private var hasFault = false
    private var hosts = 0
    private var lengths = 0
    private var encodings = 0

    var framingFault: BadRequest? {
        guard hasFault || hosts > 1 || lengths > 1 || encodings > 1 || (lengths > 0 && encodings > 0) else { return nil }
        return BadRequest(
            code: "request.malformed_head", title: LocalizedText(zh: "请求头不合法", en: "The header section is malformed"))
    }

    mutating func add(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        bytes += name.count + value.count + 4
        let name = String(decoding: name, as: UTF8.self)
        if name.isEmpty || !name.utf8.allSatisfy(Self.isToken) { hasFault = true }
        let text = String(decoding: value, as: UTF8.self)
        switch name.utf8.count {
        case 4 where name.lowercased() == "host": hosts += 1
        case 14 where name.lowercased() == "content-length":
            lengths += 1
            contentLength = Int(text)
            if contentLength == nil || text.utf8.contains(where: { $0 &- UInt8(ascii: "0") > 9 }) { hasFault = true }
        case 17 where name.lowercased() == "transfer-encoding":
            encodings += 1
            isChunked = true
            if text.lowercased() != "chunked" { hasFault = true }
        default: break
        }
        headers.add(name, text)
    }

    /// RFC 9110 §5.6.2.
    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"),
            UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "^"),
            UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: false
        }
    }
}

private func readHeader(
    _ context: UnsafeMutableRawPointer?, _ kind: MHD_ValueKind, _ name: UnsafePointer<CChar>?, _ nameSize: Int,
    _ value: UnsafePointer<CChar>?, _ valueSize: Int
) -> MHD_Result {
    guard let context, let name else { return .NO }
    context.assumingMemoryBound(to: HeaderReader.self).pointee.add(
        name: UnsafeRawBufferPointer(start: name, count: nameSize),
        value: UnsafeRawBufferPointer(start: value, count: value == nil ? 0 : valueSize))
    return .YES
}
