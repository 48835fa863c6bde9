public import HTTPCore

extension Response {
    /// A file, or the part of it that the request wants: 200, 206, 304, or 416 as a throw (RFC 9110 §13, §14).
    ///
    /// - Parameters:
    ///   - descriptor: of the open file; owned from here on, whatever the answer is.
    ///   - entityTag: strong, with its quotes: the file's bytes never change under it.
    /// - Throws: ``RangeNotSatisfiable``.
    public static func file(
        descriptor: Int32, size: Int, entityTag: String, headers: HTTPHeaders, for request: Request
    ) throws -> Response {
        let whole = FileSlice(descriptor: descriptor, length: size)
        var headers = headers
        headers["ETag"] = entityTag
        headers["Accept-Ranges"] = "bytes"
        if let known = request.headers["If-None-Match"], known == "*" || known.contains(entityTag) {
            headers["Content-Type"] = nil
            return Response(.notModified, headers: headers)
        }
        let isSame = request.headers["If-Range"].map { $0 == entityTag } ?? true
        switch isSame ? ByteRange(request.headers["Range"], size: size) : .whole {
        case .whole: return Response(.ok, headers: headers, body: .file(whole))
        case .unsatisfiable: throw RangeNotSatisfiable(size: size)
        case .part(let offset, let length):
            headers["Content-Range"] = "bytes \(offset)-\(offset + length - 1)/\(size)"
            return Response(.partialContent, headers: headers, body: .file(whole.part(offset: offset, length: length)))
        }
    }
}

extension FileSlice {
    /// Takes the descriptor along.
    fileprivate func part(offset: Int, length: Int) -> FileSlice {
        FileSlice(descriptor: takeDescriptor() ?? -1, offset: self.offset + offset, length: length)
    }
}
