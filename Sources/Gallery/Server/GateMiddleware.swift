import CorpusStore
import Foundation
import HTTPTypes
import Hummingbird
import Markup

/// Lets requests in or not, and gives every answer its headers: no handler can forget them.
struct GateMiddleware: RouterMiddleware {
    let gate: Gate

    @concurrent func handle(
        _ request: Request, context: GalleryContext,
        next: @concurrent (Request, GalleryContext) async throws -> Response
    ) async throws -> Response {
        var response = await judged(request, context, next)
        SecurityHeaders.add(to: &response.headers)
        // The whole of an answer to HEAD but its body.
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func judged(
        _ request: Request, _ context: GalleryContext,
        _ next: @concurrent (Request, GalleryContext) async throws -> Response
    ) async -> Response {
        let query = Query(request.uri.query ?? "")
        let bearer = request.headers[.authorization].flatMap { $0.hasPrefix("Bearer ") ? String($0.dropFirst(7)) : nil }
        let verdict = gate.judge(
            Gate.Request(
                isChange: ![.get, .head].contains(request.method),
                host: request.head.authority ?? Self.header("Host", request), origin: Self.header("Origin", request),
                site: Self.header("Sec-Fetch-Site", request),
                cookies: Cookies.parse(request.headers[values: .cookie].joined(separator: "; ")),
                token: bearer ?? query["token"]))
        switch verdict {
        case .refused(let status, let reason):
            return Answer.page(ErrorPage.outside(status, reason), status: status).response()
        case .welcomed where bearer == nil:
            let address = query.with(["token": nil]).address(request.uri.path)
            var response = Answer.page(ErrorPage.welcome(address)).response()
            if let cookie = gate.tokenHeader { response.headers[.setCookie] = cookie }
            return response
        case .welcomed:
            var context = context
            context.session = gate.secrets.newSession()
            return await answered(request, context, next)
        case .admitted(let session, let isNew):
            var context = context
            context.session = session
            var response = await answered(request, context, next)
            if isNew { response.headers[.setCookie] = gate.sessionHeader(session) }
            return response
        }
    }

    /// A handler's answer, or the page of its failure.
    private func answered(
        _ request: Request, _ context: GalleryContext,
        _ next: @concurrent (Request, GalleryContext) async throws -> Response
    ) async -> Response {
        do { return try await next(request, context) } catch {
            let (status, reason) = Failures.explained(error, path: request.uri.path)
            if request.uri.path.hasPrefix("/api/") {
                return ((try? Answer.json(["error": reason], status: status)) ?? Answer.page(.empty, status: status))
                    .response()
            }
            let visit = Visit(
                path: request.uri.path, query: Query(""), session: context.session,
                csrf: gate.secrets.csrf(of: context.session), mayEdit: gate.allowsEdits)
            return Answer.page(
                ErrorPage.page(status, reason, Layout(title: "Error", place: nil, visit: visit)), status: status
            ).response()
        }
    }

    private static func header(_ name: String, _ request: Request) -> String? {
        HTTPField.Name(name).flatMap { request.headers[$0] }
    }
}

/// What pages say of a failure.
enum Failures {
    static func explained(_ error: any Error, path: String) -> (status: Int, reason: String) {
        switch error {
        case let refusal as Refusal: (refusal.status, refusal.reason)
        case let error as CorpusError:
            switch error.code {
            case .badQuery: (400, error.description)
            case .notFound: (404, error.description)
            case .alreadyExists: (409, error.description)
            default: (500, error.description)
            }
        case let error as HTTPError:
            error.status == .notFound
                ? (404, "there is nothing at \(path.prefix(200))")
                : (error.status.code, error.body ?? error.status.reasonPhrase)
        case let error as any CustomStringConvertible: (500, error.description)
        default: (500, "\(error)")
        }
    }
}
