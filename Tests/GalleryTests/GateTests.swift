import Testing

import Gallery

@Suite("Who is let in")
struct GateTests {
    private func gate(host: String = "127.0.0.1", token: String? = nil, edits: Bool = true, names: [String] = [])
        -> Gate
    {
        Gate(
            hosts: HostPolicy(host: host, names: names), secrets: Secrets(needsToken: token != nil, token: token),
            allowsEdits: edits, cookiePrefix: "attune_1")
    }

    private func request(
        change: Bool = false, host: String? = "127.0.0.1:1", origin: String? = nil, site: String? = nil,
        cookies: [String: String] = [:], token: String? = nil
    ) -> Gate.Request {
        Gate.Request(isChange: change, host: host, origin: origin, site: site, cookies: cookies, token: token)
    }

    private func status(_ verdict: Gate.Verdict) -> Int {
        if case .refused(let status, _) = verdict { return status }
        return 200
    }

    @Test(arguments: ["127.0.0.1", "127.0.0.1:7878", "localhost:7878", "LOCALHOST", "[::1]:7878", "[::1]"])
    func ownNames(_ host: String) { #expect(status(gate().judge(request(host: host))) == 200) }

    @Test(arguments: [
        "evil.example", "127.0.0.1.evil.example:7878", "localhost.evil.example", "10.0.0.1", "", ":80", "[::1",
        "[::1]x", "127.0.0.1:", "127.0.0.1:70000", "0.0.0.0", "127.0.0.2@evil.example",
    ])
    func otherNames(_ host: String) { #expect(status(gate().judge(request(host: host))) == 421) }

    @Test func noNameAtAll() { #expect(status(gate().judge(request(host: nil))) == 421) }

    @Test func numbersAndNamesOfAnAddressForOthers() {
        let gate = gate(host: "0.0.0.0", token: "t", names: ["Gallery.example"])
        for host in ["10.0.0.1:7878", "gallery.example", "[fe80::1]:1", "localhost"] {
            #expect(status(gate.judge(request(host: host, cookies: ["attune_1_token": "t"]))) == 200, "\(host)")
        }
        #expect(status(gate.judge(request(host: "evil.example", cookies: ["attune_1_token": "t"]))) == 421)
    }

    @Test func tokens() {
        let gate = gate(token: "secret")
        #expect(status(gate.judge(request())) == 401)
        #expect(status(gate.judge(request(cookies: ["attune_1_token": "secre"]))) == 401)
        #expect(status(gate.judge(request(cookies: ["attune_1_token": "secret"]))) == 200)
        #expect(gate.judge(request(token: "secret")) == .welcomed)
        #expect(status(gate.judge(request(token: "x"))) == 401)
        // An address with a token that was given to somebody changes nothing by itself.
        #expect(status(gate.judge(request(change: true, token: "x"))) == 401)
    }

    @Test func changesOfOtherSites() {
        let gate = gate()
        #expect(status(gate.judge(request(change: true))) == 200)
        #expect(status(gate.judge(request(change: true, origin: "http://127.0.0.1:1", site: "same-origin"))) == 200)
        for origin in ["http://evil.example", "null", "http://127.0.0.1:2", "http://127.0.0.1", "file://"] {
            #expect(status(gate.judge(request(change: true, origin: origin))) == 403, "\(origin)")
        }
        for site in ["cross-site", "same-site"] {
            #expect(status(gate.judge(request(change: true, site: site))) == 403)
            #expect(status(gate.judge(request(site: site))) == 200)
        }
        #expect(status(self.gate(edits: false).judge(request(change: true))) == 403)
    }

    @Test func sessions() throws {
        let gate = gate()
        guard case .admitted(let session, true) = gate.judge(request()) else {
            Issue.record("a new session was expected")
            return
        }
        #expect(
            gate.judge(request(cookies: ["attune_1_session": session])) == .admitted(session: session, isNew: false))
        guard case .admitted(_, true) = gate.judge(request(cookies: ["attune_1_session": "x\r\nSet-Cookie: a"])) else {
            Issue.record("a session of others' making was taken")
            return
        }
        #expect(gate.isGenuine(gate.secrets.csrf(of: session), session: session))
        #expect(!gate.isGenuine(gate.secrets.csrf(of: session), session: gate.secrets.newSession()))
        #expect(!gate.isGenuine(nil, session: session))
        #expect(!gate.isGenuine("", session: session))
        #expect(gate.secrets.csrf(of: session) != Secrets(needsToken: false, token: nil).csrf(of: session))
    }

    @Test func addressesOfRedirects() {
        #expect(Handlers.own("/samples?a=%20") == "/samples?a=%20")
        for address in ["//evil", "http://evil", "/a\r\nX: 1", "/\\evil", "evil", "", "/a b"] {
            #expect(Handlers.own(address) == nil, "\(address)")
        }
    }
}
