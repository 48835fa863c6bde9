import CCurl
import HTTPCore

extension EasyHandle {
    /// Sets everything that follows from the request, which has been checked, except a multipart body.
    ///
    /// - Returns: the header list, to be freed by the caller after the transfer.
    func applyRequest(_ request: ClientRequest) -> UnsafeMutablePointer<curl_slist>? {
        set(CURLOPT_URL, request.url)
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        set(CURLOPT_PATH_AS_IS, true)
        set(CURLOPT_NOSIGNAL, true)
        set(CURLOPT_QUICK_EXIT, true)
        set(CURLOPT_PROXY, "")
        set(CURLOPT_FOLLOWLOCATION, false)
        set(CURLOPT_TCP_KEEPALIVE, true)
        // One request per connection at a time: removing a transfer then closes exactly its own connection.
        set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        // Asks for no compression, but reads it where the other side compresses unasked.
        set(CURLOPT_ACCEPT_ENCODING, "identity")
        applyMethod(request)
        var list = curl_slist_append(nil, "Expect:")
        var hasContentType = false
        for (name, value) in request.headers {
            list = curl_slist_append(list, value.isEmpty ? "\(name);" : "\(name): \(value)")
            if name.utf8.count == 12, name.lowercased() == "content-type" { hasContentType = true }
        }
        if case .bytes = request.body, !hasContentType { list = curl_slist_append(list, "Content-Type:") }
        set(CURLOPT_HTTPHEADER, list)
        return list
    }

    private func applyMethod(_ request: ClientRequest) {
        switch request.body {
        case .none:
            switch request.method {
            case .get: set(CURLOPT_HTTPGET, true)
            case .head: set(CURLOPT_NOBODY, true)
            case .post, .put, .patch: applyBody([], method: request.method)
            default: set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
            }
        case .bytes(let bytes):
            applyBody(bytes, method: request.method)
        case .multipart:
            if request.method != .post { set(CURLOPT_CUSTOMREQUEST, request.method.rawValue) }
        }
    }

    private func applyBody(_ bytes: [UInt8], method: HTTPMethod) {
        set(CURLOPT_POST, true)
        ccurl_set_offset(pointer, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(bytes.count))
        if bytes.isEmpty {
            ccurl_set_string(pointer, CURLOPT_COPYPOSTFIELDS, "")
        } else {
            bytes.withUnsafeBytes { buffer in
                _ = ccurl_set_string(pointer, CURLOPT_COPYPOSTFIELDS, buffer.bindMemory(to: CChar.self).baseAddress)
            }
        }
        if method != .post { set(CURLOPT_CUSTOMREQUEST, method.rawValue) }
    }

    /// - Returns: the tree, to be freed by the caller after the transfer.
    func applyMultipart(_ parts: [MultipartPart]) -> OpaquePointer? {
        let mime = curl_mime_init(pointer)
        for part in parts {
            let field = curl_mime_addpart(mime)
            curl_mime_name(field, part.name)
            if let filename = part.filename { curl_mime_filename(field, filename) }
            if let contentType = part.contentType { curl_mime_type(field, contentType) }
            if part.body.isEmpty {
                curl_mime_data(field, "", 0)
            } else {
                part.body.withUnsafeBytes { buffer in
                    _ = curl_mime_data(field, buffer.bindMemory(to: CChar.self).baseAddress, buffer.count)
                }
            }
        }
        set(CURLOPT_MIMEPOST, UnsafeMutableRawPointer(mime))
        return mime
    }
}
