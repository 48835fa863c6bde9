import HTTPCalling
import HTTPCore
import Testing

@testable import Sandbox

/// The stand-in believes nobody. (That it believes who signs rightly is shown with boto3, in Tests/EndToEnd/test_s3.py.)
@Suite struct S3Tests {
    @Test(arguments: [
        ("", 403, "AccessDenied"),
        ("?X-Amz-Algorithm=AWS4-HMAC-SHA256", 400, "AuthorizationQueryParametersError"),
        (Self.query(expires: "604801"), 400, "AuthorizationQueryParametersError"),
        (Self.query(expires: "-1"), 400, "AuthorizationQueryParametersError"),
        (Self.query(expires: "soon"), 400, "AuthorizationQueryParametersError"),
        (Self.query(date: "20200101T000000Z"), 403, "AccessDenied"), (Self.query(date: "20990101T000000Z"), 403, "AccessDenied"),
    ]) func refuses(query: String, status: Int, code: String) async throws {
        try await SandboxClient.with { client in
            let answer = try await client.http.send(ClientRequest(.get, "\(client.url)/s3/bucket/key\(query)"))
            #expect(answer.status.code == status)
            #expect(String(decoding: answer.body, as: UTF8.self).contains("<Code>\(code)</Code>"))
        }
    }

    private static func query(date: String = "20200101T000000Z", expires: String = "60") -> String {
        "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIASANDBOX%2F20200101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=\(date)"
            + "&X-Amz-Expires=\(expires)&X-Amz-SignedHeaders=host&X-Amz-Signature=00"
    }

    /// 2013-05-24T00:00:00Z, the example of AWS's documentation, checked by the stand-in at its own time.
    @Test func takesAWSsExample() throws {
        let signature = S3Signature(
            accessKeyId: "AKIAIOSFODNN7EXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", region: "us-east-1",
            now: 1_369_353_600 + 86_400)
        let query =
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
            + "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
            + "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
        func request(_ path: String, _ query: String) throws -> IncomingRequest {
            let head = "GET \(path)?\(query) HTTP/1.1\r\nHost: examplebucket.s3.amazonaws.com"
            return try #require(IncomingRequest(head: Array(head.utf8)[...]))
        }
        try signature.check(request("/test.txt", query))
        for (path, changed) in [
            ("/test2.txt", query), ("/test.txt", query.replacing("86400", with: "86401")),
            ("/test.txt", query + "&response-content-type=text%2Fhtml"), ("/test.txt", String(query.dropLast()) + "5"),
        ] {
            #expect(throws: S3Signature.Refusal.self) { try signature.check(request(path, changed)) }
        }
        let later = S3Signature(
            accessKeyId: signature.accessKeyId, secret: signature.secret, region: "us-east-1", now: signature.now + 1)
        #expect(throws: S3Signature.Refusal.self) { try later.check(request("/test.txt", query)) }
    }
}
