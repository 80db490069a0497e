import CCurl

/// What libcurl's failures mean, in words: who failed, whether trying again makes sense, and what to do.
enum TransferFailure {
    /// - Parameters:
    ///   - words: libcurl's own, which name hosts and ports and never credentials.
    ///   - proxyStatus: what a proxy has answered to CONNECT; 0 for nothing.
    static func explained(
        _ code: CURLcode, words: String, proxyStatus: Int, proxy: Proxy?, target: HTTPOrigin, hasOwnAuthorities: Bool
    ) -> AttemptError {
        let host = target.description
        if let proxy {
            if !(200..<300 ~= proxyStatus), proxyStatus != 0 {
                return proxyRefusal(proxy, status: proxyStatus, target: target)
            }
            switch code {
            case CURLE_COULDNT_RESOLVE_PROXY:
                return .again("\(proxy)", "its name is not known (DNS): check \(proxy.variable)")
            case CURLE_COULDNT_CONNECT:
                return .again(
                    "\(proxy)", "cannot be reached: check \(proxy.variable), or name \(target.host) in NO_PROXY")
            case CURLE_PROXY:
                return .again(
                    "\(proxy)",
                    "does not open a way to \(host) (\(tidied(words))): check \(proxy.variable) and NO_PROXY")
            case CURLE_OPERATION_TIMEDOUT:
                return .again("\(proxy)", "does not open a way to \(host) in time: check \(proxy.variable)")
            default: break
            }
        }
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST:
            return .again(host, "cannot be reached: its name is not known (DNS)")
        case CURLE_COULDNT_CONNECT: return .again(host, "cannot be reached: \(tidied(words))")
        case CURLE_OPERATION_TIMEDOUT: return .again(host, "cannot be reached in time")
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR:
            return .final(
                .unavailable, host,
                "its TLS certificate is not trusted (\(tidied(words))): "
                    + (hasOwnAuthorities
                        ? "--ca-file does not hold its authority" : "name its authority with --ca-file"))
        case CURLE_SSL_CACERT_BADFILE:
            return .final(.io, host, "the certificates of --ca-file or SSL_CERT_FILE are not PEM certificates")
        case CURLE_SSL_CONNECT_ERROR where words.lowercased().contains("wrong version number"),
            CURLE_SSL_CONNECT_ERROR where words.lowercased().contains("packet length"):
            return .final(
                .unavailable, host, "does not speak TLS: use --plain-http only if you trust the network")
        case CURLE_SSL_CONNECT_ERROR: return .again(host, "the TLS connection failed (\(tidied(words)))")
        case CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE, CURLE_SEND_ERROR, CURLE_RECV_ERROR:
            return .again(host, "closed the connection")
        case CURLE_UNSUPPORTED_PROTOCOL where words.contains("HTTP/0.9"):
            return .final(.unavailable, host, "does not speak HTTP")
        default: return .again(host, "cannot be reached: \(tidied(words)) (libcurl \(code.rawValue))")
        }
    }

    /// A proxy that was reached and said no.
    static func proxyRefusal(_ proxy: Proxy?, status: Int, target: HTTPOrigin) -> AttemptError {
        let (name, variable) = (proxy.map { "\($0)" } ?? "the proxy", proxy?.variable ?? "HTTPS_PROXY")
        switch status {
        case 407:
            return .final(
                .unauthorized, name,
                proxy?.user == nil
                    ? "wants a user and a password: set \(variable)=http://USER:PASSWORD@HOST:PORT"
                    : "refuses the user and password in \(variable): check them")
        case 408, 429, 500...599:
            return .again(name, "does not reach \(target) (answers \(status)): try later, or name it in NO_PROXY")
        default:
            return .final(
                .unavailable, name,
                "refuses to connect to \(target) (answers \(status)): ask who runs it, or name the host in NO_PROXY")
        }
    }

    private static func tidied(_ words: String) -> String {
        let line = words.split(whereSeparator: \.isNewline).first.map { String($0) } ?? ""
        return line.isEmpty ? "no reason given" : String(line.prefix(160))
    }
}
