import CCurl
import DiskAccess
import Foundation

/// One request on its way: what libcurl is told, and what its callbacks bring.
final class CurlTransfer {
    private let request: HTTPRequest
    private let receiver: (any BodyReceiver)?
    private let proxy: Proxy?
    private let settings: TransferSettings
    private let stop: StopFlag

    private var status = 0
    private var headers = HTTPHeaders()
    private var data = Data()
    private var isTruncated = false
    private var hasBegun = false
    /// Bytes of the request's body that are sent.
    private var sent = 0
    private var openFile: OpenFile?
    private var failure: AttemptError?
    private var lastActivity = ContinuousClock.now

    init(
        _ request: HTTPRequest, _ receiver: (any BodyReceiver)?, _ proxy: Proxy?, _ settings: TransferSettings,
        _ stop: StopFlag
    ) {
        (self.request, self.receiver, self.proxy, self.settings) = (request, receiver, proxy, settings)
        self.stop = stop
    }

    /// Blocks until the answer is there, or nothing is heard any more.
    func run(on session: CurlSession) throws(AttemptError) -> HTTPAnswer {
        let words = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
        words.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        defer { words.deallocate() }
        cc_easy_reset(session.easy)
        let list = try configure(session.easy)
        defer { cc_list_free(list) }
        cc_set_error_buffer(session.easy, words)
        let code = try drive(session)
        if let failure { throw failure }
        if code == CURLE_OK.rawValue || isTruncated {
            var answer = head
            if answer.isSuccess, let receiver, !hasBegun { try receiver.begin(answer) }
            (answer.data, answer.isTruncated) = (data, isTruncated)
            return answer
        }
        throw TransferFailure.explained(
            CURLcode(rawValue: code), words: String(cString: words), proxyStatus: cc_proxy_status(session.easy),
            proxy: proxy, target: request.address.origin, hasOwnAuthorities: settings.isNamed)
    }

    private var head: HTTPAnswer { HTTPAnswer(address: request.address, status: status, headers: headers) }

    private func drive(_ session: CurlSession) throws(AttemptError) -> UInt32 {
        cc_multi_add(session.multi, session.easy)
        defer { cc_multi_remove(session.multi, session.easy) }
        let host = request.address.origin.description
        lastActivity = .now
        while true {
            var running: Int32 = 0
            guard cc_multi_perform(session.multi, &running) == CURLM_OK else {
                throw .final(.io, "libcurl", "does not work: check the memory")
            }
            if running == 0 { break }
            if stop.isSet { throw .final(.unavailable, host, "the request was stopped") }
            // Until the connection stands, libcurl's own limit counts.
            if !cc_is_connected(session.easy) {
                lastActivity = .now
            } else if .now - lastActivity > settings.idle {
                throw .again(host, "answers too slowly")
            }
            cc_multi_poll(session.multi, 50)
        }
        let code = cc_multi_result(session.multi)
        return code < 0 ? CURLE_FAILED_INIT.rawValue : UInt32(code)
    }

    // MARK: What libcurl is told

    /// - Returns: the header fields, which must live as long as the request.
    private func configure(_ easy: UnsafeMutableRawPointer) throws(AttemptError) -> UnsafeMutablePointer<curl_slist>? {
        var isRight = true
        func check(_ code: CURLcode) { isRight = isRight && code == CURLE_OK }
        check(cc_set_text(easy, CURLOPT_URL, request.address.text))
        // Signed paths are not to be tidied up.
        check(cc_set_long(easy, CURLOPT_PATH_AS_IS, 1))
        check(cc_set_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1)))
        check(cc_set_long(easy, CURLOPT_NOSIGNAL, 1))
        check(cc_set_long(easy, CURLOPT_CONNECTTIMEOUT, 15))
        check(cc_set_long(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1))
        check(cc_set_text(easy, CURLOPT_USERAGENT, "attune"))
        configureMethod(easy, check)
        if let authorities = settings.authorities {
            authorities.withUnsafeBytes { check(cc_set_bytes(easy, CURLOPT_CAINFO_BLOB, $0.baseAddress, $0.count)) }
            authorities.withUnsafeBytes {
                check(cc_set_bytes(easy, CURLOPT_PROXY_CAINFO_BLOB, $0.baseAddress, $0.count))
            }
        }
        // Whose turn a proxy is has been decided: libcurl's own look at the environment stays out.
        check(cc_set_text(easy, CURLOPT_PROXY, proxy?.address ?? ""))
        check(cc_set_text(easy, CURLOPT_NOPROXY, ""))
        if let user = proxy?.user {
            check(cc_set_text(easy, CURLOPT_PROXYUSERNAME, user))
            check(cc_set_text(easy, CURLOPT_PROXYPASSWORD, proxy?.password ?? ""))
        }
        check(setCallbacks(easy))
        var list: UnsafeMutablePointer<curl_slist>?
        // A field without a value is one that libcurl would add by itself, and must not.
        let hasType = request.headers.contains { $0.name == "Content-Type" }
        for line in ["Expect:"] + (hasType ? [] : ["Content-Type:"])
            + request.headers.map({ "\($0.name): \($0.value)" })
        {
            list = cc_list_append(list, line)
        }
        check(cc_set_list(easy, CURLOPT_HTTPHEADER, list))
        guard isRight else {
            cc_list_free(list)
            throw .final(
                .io, "libcurl", "\(String(cString: cc_version())) lacks an option that is needed: 7.77 or later is")
        }
        return list
    }

    private func configureMethod(_ easy: UnsafeMutableRawPointer, _ check: (CURLcode) -> Void) {
        switch (request.method, request.body) {
        case (.GET, nil): check(cc_set_long(easy, CURLOPT_HTTPGET, 1))
        case (.HEAD, _): check(cc_set_long(easy, CURLOPT_NOBODY, 1))
        case (let method, let body):
            check(cc_set_long(easy, CURLOPT_UPLOAD, 1))
            check(cc_set_text(easy, CURLOPT_CUSTOMREQUEST, method.rawValue))
            check(cc_set_size(easy, CURLOPT_INFILESIZE_LARGE, curl_off_t(body?.count ?? 0)))
        }
    }

    // MARK: What libcurl brings

    private static func transfer(_ context: UnsafeMutableRawPointer?) -> CurlTransfer? {
        context.map { Unmanaged<CurlTransfer>.fromOpaque($0).takeUnretainedValue() }
    }

    private func setCallbacks(_ easy: UnsafeMutableRawPointer) -> CURLcode {
        cc_set_callbacks(
            easy,
            { buffer, size, count, context in
                guard let buffer, let transfer = CurlTransfer.transfer(context) else { return 0 }
                transfer.take(header: UnsafeRawBufferPointer(start: buffer, count: size * count))
                return size * count
            },
            { buffer, size, count, context in
                guard let buffer, let transfer = CurlTransfer.transfer(context) else { return 0 }
                let bytes = UnsafeRawBufferPointer(start: buffer, count: size * count)
                return transfer.take(body: bytes) ? size * count : 0
            },
            { buffer, size, count, context in
                guard let buffer, let transfer = CurlTransfer.transfer(context) else { return Int(CURL_READFUNC_ABORT) }
                return transfer.fill(UnsafeMutableRawBufferPointer(start: buffer, count: size * count))
            },
            // libcurl starts a body over when a kept connection proves closed.
            { context, offset, origin in
                guard let transfer = CurlTransfer.transfer(context), origin == SEEK_SET else {
                    return CURL_SEEKFUNC_CANTSEEK
                }
                transfer.sent = Int(offset)
                return CURL_SEEKFUNC_OK
            },
            Unmanaged.passUnretained(self).toOpaque())
    }

    private func take(header bytes: UnsafeRawBufferPointer) {
        lastActivity = .now
        let line = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        if line.hasPrefix("HTTP/") {
            // Of several heads, such as 100 Continue and what follows it, the last counts.
            status = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            headers = HTTPHeaders()
        } else if let colon = line.firstIndex(of: ":") {
            headers.append(
                String(line[..<colon]),
                line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces))
        }
    }

    private func take(body bytes: UnsafeRawBufferPointer) -> Bool {
        lastActivity = .now
        guard let receiver, 200..<300 ~= status else {
            let capacity = request.limit - data.count
            data.append(contentsOf: bytes.prefix(capacity))
            isTruncated = bytes.count > capacity
            return !isTruncated
        }
        do throws(AttemptError) {
            if !hasBegun { try receiver.begin(head) }
            hasBegun = true
            try receiver.receive(bytes)
            return true
        } catch {
            failure = error
            return false
        }
    }

    private func fill(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        lastActivity = .now
        guard let body = request.body else { return 0 }
        let count = min(buffer.count, body.count - sent)
        guard count > 0 else { return 0 }
        do throws(AttemptError) {
            try copy(body, to: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
        } catch {
            failure = error
            return Int(CURL_READFUNC_ABORT)
        }
        sent += count
        return count
    }

    private func copy(_ body: HTTPBody, to buffer: UnsafeMutableRawBufferPointer) throws(AttemptError) {
        switch body {
        case .data(let data):
            data.dropFirst(sent).prefix(buffer.count).copyBytes(to: buffer)
        case .file(let url, let start, _):
            do throws(DiskError) {
                let file = if let openFile { openFile } else { try OpenFile(url) }
                openFile = file
                guard try file.file.read(buffer, at: UInt64(start + sent)) == buffer.count else {
                    throw DiskError("became shorter while it was sent", url.path, 0)
                }
            } catch {
                throw .final(.io, error.path, error.message)
            }
        }
    }
}

/// The file that a body is read from.
private final class OpenFile {
    let file: DiskFile

    init(_ url: URL) throws(DiskError) { file = try DiskFile(url.path, .read) }
}
