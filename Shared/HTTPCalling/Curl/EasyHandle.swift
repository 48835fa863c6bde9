import CCurl

/// Owns one curl easy handle and the buffer for its error text. Used by the loop's thread only; reused between transfers.
final class EasyHandle {
    let pointer: UnsafeMutableRawPointer
    private let errorText: UnsafeMutablePointer<CChar>

    init() {
        guard let pointer = curl_easy_init() else { preconditionFailure("curl_easy_init: out of memory") }
        self.pointer = pointer
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        ccurl_set_pointer(pointer, CURLOPT_ERRORBUFFER, errorText)
    }

    deinit {
        curl_easy_cleanup(pointer)
        errorText.deallocate()
    }

    /// Forgets every option, keeps the memory.
    func reset() {
        curl_easy_reset(pointer)
        errorText[0] = 0
        ccurl_set_pointer(pointer, CURLOPT_ERRORBUFFER, errorText)
    }

    func message(for code: CURLcode) -> String {
        if errorText[0] != 0 { return String(cString: errorText) }
        return curl_easy_strerror(code).map { String(cString: $0) } ?? "curl error \(code.rawValue)"
    }

    func set(_ option: CURLoption, _ value: Int) { ccurl_set_long(pointer, option, value) }

    func set(_ option: CURLoption, _ value: Bool) { ccurl_set_long(pointer, option, value ? 1 : 0) }

    func set(_ option: CURLoption, _ value: String) { ccurl_set_string(pointer, option, value) }

    /// Curl keeps the pointer: the caller must keep what it points to until the transfer has been removed.
    func set(_ option: CURLoption, _ value: UnsafeMutableRawPointer?) { ccurl_set_pointer(pointer, option, value) }
}
