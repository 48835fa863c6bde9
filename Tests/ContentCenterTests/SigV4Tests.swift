import ConfigReading
import Cryptography
import Testing

@testable import ContentCenter

/// Against the vectors that AWS publishes.
@Suite struct SigV4Tests {
    /// "Authenticating Requests: Using Query Parameters", its example.
    private static let example = SigV4(
        accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        region: "us-east-1")
    /// 2013-05-24T00:00:00Z
    private static let date = 1_369_353_600

    @Test func presignsAsAWSDoes() {
        let request = SigV4.Request(method: "GET", host: "examplebucket.s3.amazonaws.com", path: "/test.txt")
        let query = Self.example.presignedQuery(request, date: Self.date, expires: 86_400)
        #expect(
            query
                == "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
                + "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
                + "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")
    }

    @Test func itsStepsAreAWSs() {
        #expect(
            Hex.encode(Self.example.signingKey("20130524"))
                == "dbb893acc010964918f1fd433add87c70e8b0db6be30c1fbeafefa5ec6ba8378")
        let request = SigV4.Request(method: "GET", host: "examplebucket.s3.amazonaws.com", path: "/test.txt")
        let query = SigV4.canonical([
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"),
            ("X-Amz-Date", "20130524T000000Z"), ("X-Amz-Expires", "86400"), ("X-Amz-SignedHeaders", "host"),
        ])
        let canonical = Self.example.canonicalRequest(
            request, query: query, headers: [("host", request.host)], payload: "UNSIGNED-PAYLOAD")
        #expect(Hex.encode(SHA256.hash(canonical)) == "3bfa292879f6447bbcda7001decf97f4a54dc650c8942174ae0a9121cf58ad04")
    }

    /// "Authenticating Requests: Using the Authorization Header", GET Object, PUT Object, GET Bucket Lifecycle, GET Bucket.
    @Test func authorizesAsAWSDoes() throws {
        let empty = Hex.encode(SHA256.hash(""))
        func signature(_ request: SigV4.Request, _ payload: String) -> String {
            let value = Self.example.authorization(request, payloadHash: payload, date: Self.date).last?.value ?? ""
            return String(value.suffix(64))
        }
        let host = "examplebucket.s3.amazonaws.com"
        #expect(
            signature(.init(method: "GET", host: host, path: "/test.txt", headers: [("range", "bytes=0-9")]), empty)
                == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
        let put = SigV4.Request(
            method: "PUT", host: host, path: "/test$file.text",
            headers: [("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")])
        #expect(
            signature(put, Hex.encode(SHA256.hash("Welcome to Amazon S3.")))
                == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")
        #expect(
            signature(.init(method: "GET", host: host, path: "/", query: [("lifecycle", "")]), empty)
                == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")
        #expect(
            signature(.init(method: "GET", host: host, path: "/", query: [("prefix", "J"), ("max-keys", "2")]), empty)
                == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
    }

    /// `get-vanilla-query-order-key-case` of AWS's test suite (as aws-c-auth has it): the hash of its canonical request.
    @Test func ordersAQueryByItsKeys() {
        let request = SigV4.Request(method: "GET", host: "example.amazonaws.com", path: "/")
        let canonical = Self.example.canonicalRequest(
            request, query: SigV4.canonical([("Param2", "value2"), ("Param1", "value1")]),
            headers: [("host", request.host), ("x-amz-date", "20150830T123600Z")], payload: Hex.encode(SHA256.hash("")))
        #expect(Hex.encode(SHA256.hash(canonical)) == "816cd5b414d056048ba4f7c5386d6e0533120fb1fcfa93762cf0fc39e2cf19e0")
    }

    @Test func encodesOnceAndSorts() {
        #expect(SigV4.encode("a b/ü~*", keepingSlashes: true) == "a%20b/%C3%BC~%2A")
        #expect(SigV4.encode("//a/../b", keepingSlashes: true) == "//a/../b")
        #expect(SigV4.canonical([("b", "2"), ("a", "1 2"), ("a", "/")]) == "a=%2F&a=1%202&b=2")
    }

    @Test(arguments: [
        (0, "19700101T000000Z"), (951_782_399, "20000228T235959Z"), (951_782_400, "20000229T000000Z"),
        (1_709_164_800, "20240229T000000Z"), (4_102_444_799, "20991231T235959Z"), (1_795_165_965, "20261120T091245Z"),
    ]) func writesTimes(seconds: Int, text: String) {
        #expect(SigV4.timestamp(seconds) == text)
    }
}
