import HTTPCore

/// On every answer of the gateway, problems included (OWASP REST Security Cheat Sheet, "Security headers"). The API is never shown in
/// a frame, never sniffed and, unless a route says otherwise, never cached.
enum SecurityHeaders {
    static let all: HTTPHeaders = [
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    ]
}
