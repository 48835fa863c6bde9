import HTTPCore
import Testing

@Suite struct PercentEncodingTests {
    @Test(arguments: [
        ("", ""), ("azAZ09-._~", "azAZ09-._~"), ("a b", "a%20b"), ("a/b?c#d&e=f+g%", "a%2Fb%3Fc%23d%26e%3Df%2Bg%25"),
        ("猫", "%E7%8C%AB"), ("\r\n\u{0}", "%0D%0A%00"), ("é", "%C3%A9"),
    ]) func onlyUnreservedCharactersStay(text: String, encoded: String) {
        #expect(PercentEncoding.encode(text) == encoded)
    }
}
