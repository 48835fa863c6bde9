public import HTTPCore

/// A file that is to be sent.
public enum StoredFile: Sendable {
    /// Open; whoever is handed it closes it.
    case descriptor(Int32, size: Int)
    /// A small one, whole.
    case bytes([UInt8])

    /// In bytes.
    public var size: Int {
        switch self {
        case .descriptor(_, let size): size
        case .bytes(let bytes): bytes.count
        }
    }
}

extension Response {
    /// A file, or the part of it that the request wants: 200, 206, 304, or 416 as a throw (RFC 9110 §13, §14).
    ///
    /// - Parameters:
    ///   - file: a descriptor is owned from here on, whatever the answer is.
    ///   - entityTag: strong, with its quotes: the file's bytes never change under it.
    /// - Throws: ``RangeNotSatisfiable``.
    public static func file(
        _ file: StoredFile, entityTag: String, headers: HTTPHeaders, for request: Request
    ) throws -> Response {
        let (source, size) = (Source(file), file.size)
        var headers = headers
        headers["ETag"] = entityTag
        headers["Accept-Ranges"] = "bytes"
        if let known = request.headers["If-None-Match"], known == "*" || known.contains(entityTag) {
            headers["Content-Type"] = nil
            return Response(.notModified, headers: headers)
        }
        let isSame = request.headers["If-Range"].map { $0 == entityTag } ?? true
        switch isSame ? ByteRange(request.headers["Range"], size: size) : .whole {
        case .whole: return Response(.ok, headers: headers, body: source.body(offset: 0, length: size))
        case .unsatisfiable: throw RangeNotSatisfiable(size: size)
        case .part(let offset, let length):
            headers["Content-Range"] = "bytes \(offset)-\(offset + length - 1)/\(size)"
            return Response(.partialContent, headers: headers, body: source.body(offset: offset, length: length))
        }
    }
}

/// Where the bytes of an answer come from; a descriptor is closed with it unless the answer takes it along.
private enum Source {
    case slice(FileSlice)
    case bytes([UInt8])

    init(_ file: StoredFile) {
        self =
            switch file {
            case .descriptor(let descriptor, let size): .slice(FileSlice(descriptor: descriptor, length: size))
            case .bytes(let bytes): .bytes(bytes)
            }
    }

    func body(offset: Int, length: Int) -> Response.Body {
        switch self {
        case .slice(let whole): .file(FileSlice(descriptor: whole.takeDescriptor() ?? -1, offset: offset, length: length))
        case .bytes(let bytes): .bytes(length == bytes.count ? bytes : Array(bytes[offset..<offset + length]))
        }
    }
}
