import Testing

@testable import GatewayBFF

@Suite("Whose address counts")
struct ClientAddressTests {
    private let behindProxy = ClientAddressRule(trustedProxies: ["10.0.0.0/8", "::1/128"].compactMap(AddressBlock.init))

    @Test(
        "the last hop that is not our proxy",
        arguments: [
            ("203.0.113.9", ["1.1.1.1"], "203.0.113.9"),  // not a proxy: its word is not believed
            ("10.1.2.3", ["198.51.100.7"], "198.51.100.7"),
            ("10.1.2.3", ["6.6.6.6, 198.51.100.7, 10.9.9.9"], "198.51.100.7"),  // the client wrote 6.6.6.6 itself
            ("10.1.2.3", ["6.6.6.6", "198.51.100.7"], "198.51.100.7"),  // two header lines
            ("10.1.2.3", [], "10.1.2.3"),
            ("10.1.2.3", ["198.51.100.7, nonsense"], "10.1.2.3"),
            ("::1", ["2001:db8::5"], "2001:db8::5"),
            ("::ffff:10.1.2.3", ["198.51.100.7"], "198.51.100.7"),
        ])
    func clientAddress(peer: String, forwarded: [String], expected: String) {
        #expect(behindProxy.address(peer: peer, forwardedFor: forwarded) == expected)
    }

    @Test("without trusted proxies nobody can claim another address")
    func noProxies() {
        let rule = ClientAddressRule(trustedProxies: [])
        #expect(rule.address(peer: "127.0.0.1", forwardedFor: ["8.8.8.8"]) == "127.0.0.1")
    }

    @Test("blocks refuse what is not an address", arguments: ["", "10.0.0.0/33", "10.0.0/8", "::1/129", "host", "10.0.0.0/-1"])
    func malformedBlocks(text: String) {
        #expect(AddressBlock(text) == nil)
    }

    @Test("prefixes that end inside a byte")
    func oddPrefix() throws {
        let block = try #require(AddressBlock("192.0.2.128/25"))
        #expect(block.contains("192.0.2.200"))
        #expect(!block.contains("192.0.2.100"))
        #expect(!block.contains("2001:db8::1"))
    }
}
