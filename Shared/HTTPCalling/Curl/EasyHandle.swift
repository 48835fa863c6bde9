import CCurl
import HTTPCore

/// Owns one curl easy handle and the buffer for its error text. Used by one loop's thread only; reused between
/// transfers of one shape, whose options it keeps.
final class EasyHandle {
    let pointer: UnsafeMutableRawPointer
    private let errorText: UnsafeMutablePointer<CChar>
    /// Where header lines are put together.
    var line: [UInt8] = []

    init() {
        guard let pointer = curl_easy_init() else { preconditionFailure("curl_easy_init: out of memory") }
        self.pointer = pointer
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        ccurl_set_pointer(pointer, CURLOPT_ERRORBUFFER, errorText)
    }

    /// To be called before each transfer.
    func forgetError() { errorText[0] = 0 }

    deinit {
        curl_easy_cleanup(pointer)
        errorText.deallocate()
    }

    /// What a request sets beyond what every request of its shape sets anew.
    struct Shape: Hashable {
        enum Body { case none, bytes, multipart }

        let method: HTTPMethod
        let body: Body

        init(of request: ClientRequest) {
            method = request.method
            body =
                switch request.body {
                case .none: .none
                case .bytes: .bytes
                case .multipart: .multipart
                }
        }
    }

    /// Set once; `nil` for a handle that is still to be given one.
    var shape: Shape?
    /// Whether nothing is left of its request that another of the shape would not overwrite.
    var isReusable = true

    func message(for code: CURLcode) -> String {
        if errorText[0] != 0 { return String(cString: errorText) }
        return curl_easy_strerror(code).map { String(cString: $0) } ?? "curl error \(code.rawValue)"
    }

    func set(_ option: CURLoption, _ value: Int) { ccurl_set_long(pointer, option, value) }

    func set(_ option: CURLoption, _ value: Bool) { ccurl_set_long(pointer, option, value ? 1 : 0) }

    func set(_ option: CURLoption, _ value: String) { value.withCString { _ = ccurl_set_string(pointer, option, $0) } }

    /// Curl keeps the pointer: the caller must keep what it points to until the transfer has been removed.
    func set(_ option: CURLoption, _ value: UnsafeMutableRawPointer?) { ccurl_set_pointer(pointer, option, value) }
}

/// Handles that wait for the next transfer of their shape; a reset between two would cost more than the transfer sets.
struct EasyHandlePool {
    private static let limit = 64
    private var handles: [EasyHandle.Shape: [EasyHandle]] = [:]
    private var count = 0

    mutating func take(_ shape: EasyHandle.Shape) -> EasyHandle? {
        guard let handle = handles[shape]?.popLast() else { return nil }
        count -= 1
        return handle
    }

    mutating func put(_ handle: EasyHandle) {
        guard let shape = handle.shape, handle.isReusable, count < Self.limit else { return }
        handles[shape, default: []].append(handle)
        count += 1
    }

    mutating func removeAll() {
        handles = [:]
        count = 0
    }
}
