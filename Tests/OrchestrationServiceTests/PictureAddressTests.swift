import Testing

@testable import OrchestrationService

/// Which addresses of pictures are asked: the guard against requests to inside.
@Suite struct PictureAddressTests {
    @Test(arguments: [
        "https://oaidalleapiprodscus.blob.core.windows.net/private/img.png?st=2026-11-28T12%3A00%3A00Z&sig=a%2Bb%3D",
        "https://cdn.example.com:443/a.png", "HTTPS://CDN.EXAMPLE.COM/a.png", "https://xn--fiq228c.xn--fiqs8s/a.png",
        // The configured service's own origin, whatever it is.
        "http://127.0.0.1:8090/openai/pictures/whole/1.png", "http://127.0.0.1:8090",
    ]) func publicOnesAndTheServicesOwn(address: String) {
        #expect(PictureAddress.isAllowed(address, from: "http://127.0.0.1:8090/openai/v1"))
    }

    @Test(arguments: [
        "http://cdn.example.com/a.png", "https://cdn.example.com:8443/a.png", "ftp://cdn.example.com/a", "file:///etc/passwd",
        "//cdn.example.com/a.png", "cdn.example.com/a.png", "", "https://", "https:///a", "https://:443/",
        // Inside, in the spellings that resolvers take.
        "http://169.254.169.254/latest/meta-data/", "https://169.254.169.254/", "https://127.0.0.1/", "https://127.1/",
        "https://2130706433/", "https://0x7f000001/", "https://0x7f.0.0.0x1/", "https://0177.0.0.1/", "https://[::1]/",
        "https://[::ffff:169.254.169.254]/", "https://localhost/", "https://localhost./", "https://metadata.google.internal/",
        "https://orchestration-service/", "https://agent-center.marketing.svc.cluster.local/", "https://printer.local/",
        "https://cdn.example.com./", "https://.com/",
        // Spellings that parsers understand differently.
        "https://cdn.example.com@169.254.169.254/", "https://user:pass@cdn.example.com/", "https://cdn.example.com\\@127.0.0.1/",
        "https://cdn.example.com%2f@127.0.0.1/", "https://cdn.example.com\n.127.0.0.1/", "https://cdn.example.com /",
        "https://１２７.0.0.1/", "https://cdn.example.com:443:80/", "https://cdn.example.com:/", "https://cdn.example.com:+443/",
        // The same machine is not the same origin.
        "http://127.0.0.1:8080/", "https://127.0.0.1:8090/", "http://127.0.0.1/", "http://localhost:8090/",
        "http://127.0.0.1:8090@evil.example.com/",
    ]) func nothingElse(address: String) {
        #expect(!PictureAddress.isAllowed(address, from: "http://127.0.0.1:8090/openai/v1"))
    }

    @Test func anEndlessOneIsNone() {
        #expect(!PictureAddress.isAllowed("https://a.com/" + String(repeating: "a", count: 5_000), from: "https://a.com/v1"))
    }
}
