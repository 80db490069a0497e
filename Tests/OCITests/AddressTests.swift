import Foundation
import OCI
import TestSupport
import Testing

/// Addresses, and what a Location means.
@Suite struct AddressTests {
    @Test(arguments: [
        ("https://a.b/v2/", "https://a.b/v2/"), ("HTTPS://A.B:443/x?y", "https://a.b/x?y"),
        ("http://a.b:80", "http://a.b/"), ("http://a.b:8080?q=1", "http://a.b:8080/?q=1"),
        ("https://[::1]:5000/x#part", "https://[::1]:5000/x"), ("https://me:pw@a.b/x", "https://a.b/x"),
        ("https://a.b/%7e/x%2Fy?sig=a%2Bb&cd=x|y", "https://a.b/%7e/x%2Fy?sig=a%2Bb&cd=x|y"),
        ("https://a.b/x y?q=é", "https://a.b/x%20y?q=%C3%A9"),
        ("https://a.b/a/../b?c=100%", "https://a.b/a/../b?c=100%"),
    ])
    func readsAddresses(text: String, expected: String) throws {
        #expect(try #require(HTTPAddress(text)).text == expected)
    }

    @Test(arguments: [
        "", "a.b/x", "ftp://a.b/x", "https:/a.b", "https:///x", "https://a.b:99999/", "https://a.b:x/", "https://a b/",
        "https://[::1/x", "file:///etc/passwd", "https://",
    ])
    func refusesOthers(_ text: String) {
        #expect(HTTPAddress(text) == nil)
    }

    /// The examples of RFC 3986, section 5.4, as far as http has them, and what registries send.
    @Test(arguments: [
        ("g", "https://a:5000/b/c/g"), ("./g", "https://a:5000/b/c/g"), ("g/", "https://a:5000/b/c/g/"),
        ("/g", "https://a:5000/g"), ("//g", "https://g/"), ("?y", "https://a:5000/b/c/d;p?y"),
        ("g?y", "https://a:5000/b/c/g?y"), ("../g", "https://a:5000/b/g"), ("../../../g", "https://a:5000/g"),
        ("..", "https://a:5000/b/"), ("#s", "https://a:5000/b/c/d;p?q"), ("http://g:1/x", "http://g:1/x"),
        ("//g:81/x?y=%2B", "https://g:81/x?y=%2B"),
        ("https://a:5000/u?_state=a%2Bb%2Fc%3D", "https://a:5000/u?_state=a%2Bb%2Fc%3D"),
        ("/u?sig=a%2Bb&cd=x|y", "https://a:5000/u?sig=a%2Bb&cd=x|y"), (" /g ", "https://a:5000/g"),
        ("g?u=../x", "https://a:5000/b/c/g?u=../x"),
    ])
    func resolvesLocations(location: String, expected: String) throws {
        let base = try #require(HTTPAddress("https://a:5000/b/c/d;p?q"))
        #expect(try #require(base.resolving(location)).text == expected)
    }

    /// Authorities that cannot be read are no reason to trust others.
    @Test func authoritiesThatCannotBeReadAreAnError() throws {
        let scratch = try Scratch()
        let loop = scratch.path("loop.pem")
        _ = try HTTPTransport(environment: ["SSL_CERT_FILE": loop])
        try FileManager.default.createSymbolicLink(atPath: loop, withDestinationPath: loop)
        let error = #expect(throws: OCIError.self) { _ = try HTTPTransport(environment: ["SSL_CERT_FILE": loop]) }
        #expect(error?.description.contains("SSL_CERT_FILE") == true)
    }

    @Test func refusesLocationsThatAreNone() throws {
        let base = try #require(HTTPAddress("https://a:5000/b"))
        for odd in ["", "mailto:x@y", "ftp://g/", "https:", "http://", "//"] { #expect(base.resolving(odd) == nil) }
    }

    @Test(arguments: [
        ("*", "a.b", true), ("a.b", "a.b", true), ("a.b", "x.a.b", true), (".a.b", "x.a.b", true),
        ("*.a.b", "x.a.b", true),
        ("a.b", "xa.b", false), ("A.B", "a.b", true), ("x.y, a.b", "a.b", true), ("x.y a.b", "a.b", true),
        ("a.b:443", "a.b", true), ("a.b:5000", "a.b", false), ("10.0.0.0/8", "10.1.2.3", true),
        ("10.0.0.0/8", "11.1.2.3", false), ("10.0.0.0/33", "10.0.0.1", false), ("10.1.2.3", "10.1.2.3", true),
        ("10.1.2.3:443", "10.1.2.3", true), ("fd00::/8", "[fd12::1]", true), ("fd12::1", "[fd12:0::1]", true),
        ("10.0.0.0/8", "a10.b", false), ("", "a.b", false), (",,", "a.b", false), ("0.0.0.0/0", "1.2.3.4", true),
    ])
    func obeysNoProxy(list: String, host: String, isDirect: Bool) throws {
        let settings = ProxySettings(environment: ["HTTPS_PROXY": "p:3128", "NO_PROXY": list])
        #expect(try settings.address(for: "https://\(host)/") == (isDirect ? nil : "http://p:3128"))
    }

    @Test(
        arguments: [
            (["HTTPS_PROXY": "http://p:1"], "http://p:1"), (["https_proxy": "p:1/"], "http://p:1"),
            (["HTTP_PROXY": "http://p:1"], nil), (["ALL_PROXY": "socks5://p"], "socks5h://p:1080"),
            (["HTTPS_PROXY": "", "https_proxy": "http://q"], "http://q:80"),
            (["HTTPS_PROXY": "https://p"], "https://p:443"),
            (["HTTPS_PROXY": "http://u:p%40w@[::1]:8080"], "http://[::1]:8080"),
            (["HTTPS_PROXY": "p", "no_proxy": "a.b"], nil),
        ] as [([String: String], String?)])
    func choosesProxies(environment: [String: String], expected: String?) throws {
        #expect(try ProxySettings(environment: environment).address(for: "https://a.b/") == expected)
    }

    @Test func reachesThisMachineDirectly() throws {
        let settings = ProxySettings(environment: ["HTTPS_PROXY": "http://p:1", "HTTP_PROXY": "http://p:1"])
        for host in ["localhost:5000", "127.0.0.1", "[::1]:5000"] {
            #expect(try settings.address(for: "http://\(host)/") == nil)
        }
        #expect(try settings.address(for: "http://a.b/") == "http://p:1")
    }

    @Test func namesTheVariableThatIsWrongAndNotItsPassword() {
        let settings = ProxySettings(environment: ["HTTPS_PROXY": "ftp://me:s3cret@p:1"])
        #expect { try settings.address(for: "https://a.b/") } throws: {
            "\($0)".contains("HTTPS_PROXY") && !"\($0)".contains("s3cret")
        }
        #expect(settings.summary.map(\.meaning) == ["not a proxy's address"])
        let right = ProxySettings(environment: ["HTTPS_PROXY": "http://me:s3cret@p:1", "NO_PROXY": "x"])
        #expect(right.summary.map(\.variable) == ["HTTPS_PROXY", "NO_PROXY"])
        #expect(right.summary.map(\.meaning) == ["p:1", "x"])
    }
}
