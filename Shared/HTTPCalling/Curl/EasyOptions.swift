import CCurl
import HTTPCore

extension EasyHandle {
    /// Sets what is the same for all requests.
    func applyConstants(maxConnectionAge: Int) {
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
        set(CURLOPT_MAXAGE_CONN, maxConnectionAge)
    }

    /// Sets everything that follows from the request, which has been checked, except a multipart body.
    ///
    /// - Returns: the header list, to be freed by the caller after the transfer.
    func apply(_ request: ClientRequest, _ shape: Shape) -> UnsafeMutablePointer<curl_slist>? {
        forgetError()
        set(CURLOPT_URL, request.url)
        applyBody(request)
        if self.shape == nil {
            applyMethod(request)
            self.shape = shape
        }
        var list = curl_slist_append(nil, "Expect:")
        var hasContentType = false
        for (name, value) in request.headers {
            list = append(name, value, to: list)
            if name.utf8.count == 12, name.lowercased() == "content-type" { hasContentType = true }
        }
        if case .bytes = request.body, !hasContentType { list = curl_slist_append(list, "Content-Type:") }
        set(CURLOPT_HTTPHEADER, list)
        return list
    }

    /// Curl copies the line, which is put together in the same place for all.
    private func append(
        _ name: String, _ value: String, to list: UnsafeMutablePointer<curl_slist>?
    ) -> UnsafeMutablePointer<curl_slist>? {
        line.removeAll(keepingCapacity: true)
        line.append(contentsOf: name.utf8)
        if value.isEmpty {
            line.append(UInt8(ascii: ";"))
        } else {
            line.append(UInt8(ascii: ":"))
            line.append(UInt8(ascii: " "))
            line.append(contentsOf: value.utf8)
        }
        line.append(0)
        return line.withUnsafeBytes { curl_slist_append(list, $0.bindMemory(to: CChar.self).baseAddress) }
    }

    private func applyMethod(_ request: ClientRequest) {
        switch (request.body, request.method) {
        case (.none, .get): set(CURLOPT_HTTPGET, true)
        case (.none, .head): set(CURLOPT_NOBODY, true)
        case (_, .post): break
        default: set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
        }
    }

    private func applyBody(_ request: ClientRequest) {
        switch request.body {
        case .bytes(let bytes): applyBody(bytes)
        case .none: if [.post, .put, .patch].contains(request.method) { applyBody([]) }
        case .multipart: break
        }
    }

    private func applyBody(_ bytes: [UInt8]) {
        set(CURLOPT_POST, true)
        ccurl_set_offset(pointer, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(bytes.count))
        if bytes.isEmpty {
            ccurl_set_string(pointer, CURLOPT_COPYPOSTFIELDS, "")
        } else {
            bytes.withUnsafeBytes { buffer in
                _ = ccurl_set_string(pointer, CURLOPT_COPYPOSTFIELDS, buffer.bindMemory(to: CChar.self).baseAddress)
            }
        }
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
