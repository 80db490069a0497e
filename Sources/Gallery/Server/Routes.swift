import Foundation
import HTTPTypes
package import Hummingbird

/// Which address is answered by what.
package enum Routes {
    typealias Handler = @Sendable (Visit, Parameters) throws -> Answer

    /// Bytes of a change's body that are read.
    private static let largestBody = 1 << 20

    package static func router(_ data: GalleryData, _ gate: Gate, _ work: Work) -> Router<GalleryContext> {
        let handlers = Handlers(data: data)
        let router = Router(context: GalleryContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: GateMiddleware(gate: gate))

        func get(_ path: RouterPath, _ kind: Work.Kind = .page, _ handler: @escaping Handler) {
            router.get(path) { request, context in
                let visit = visit(request, context)
                let parameters = context.parameters
                let answer = try await work.run(kind) { try handler(visit, parameters) }
                return answer.response(known: request.headers[.ifNoneMatch])
            }
        }
        func post(_ path: RouterPath, _ handler: @escaping Handler) {
            router.post(path) { request, context in
                var visit = visit(request, context)
                guard Int(request.headers[.contentLength] ?? "0") ?? .max <= largestBody else {
                    throw Refusal(status: 413, reason: "a change has at most \(largestBody) bytes")
                }
                do { visit.body = Array(buffer: try await request.body.collect(upTo: largestBody)) } catch {
                    throw Refusal(status: 413, reason: "a change has at most \(largestBody) bytes")
                }
                visit.bodyType = request.headers[.contentType] ?? ""
                let header = HTTPField.Name("X-CSRF-Token").flatMap { request.headers[$0] }
                guard gate.isGenuine(header ?? visit.form["csrf"], session: visit.session) else {
                    throw Refusal(
                        status: 403, reason: "the change does not come from a page of this gallery: load the page again"
                    )
                }
                let (parameters, complete) = (context.parameters, visit)
                return try await work.run(.edit) { try handler(complete, parameters) }.response()
            }
        }
        @Sendable func visit(_ request: Request, _ context: GalleryContext) -> Visit {
            Visit(
                path: request.uri.path, query: Query(request.uri.query ?? ""), session: context.session,
                csrf: gate.secrets.csrf(of: context.session), mayEdit: gate.allowsEdits)
        }

        get("/") { visit, _ in try handlers.overview(visit) }
        get("/samples") { visit, _ in try handlers.samples(visit) }
        get("/samples/:id") { visit, parameters in try handlers.sample(parameters.text("id"), visit) }
        get("/selections") { visit, _ in try handlers.selections(visit) }
        get("/map") { visit, _ in try handlers.map(visit) }
        get("/api/map") { visit, _ in try handlers.mapPoints(visit) }
        get("/duplicates") { visit, _ in try handlers.duplicates(visit) }
        get("/compare") { visit, _ in try handlers.compare(visit) }
        get("/runs") { visit, _ in try handlers.runs(visit) }
        get("/runs/:name") { visit, parameters in try handlers.run(parameters.text("name"), visit) }
        get("/runs/:name/live") { _, parameters in try handlers.liveRun(parameters.text("name")) }
        get("/runs/:name/validation/:step/:image", .image) { _, parameters in
            try handlers.validationImage(
                parameters.text("name"), step: parameters.text("step"), image: parameters.text("image"))
        }
        get("/api/samples") { visit, _ in try handlers.gridRows(visit) }
        get("/tiles/:id", .image) { visit, parameters in try handlers.tile(parameters.text("id"), visit) }
        get("/images/:name", .image) { _, parameters in try handlers.image(parameters.text("name")) }
        get("/folders/:token", .image) { _, parameters in try handlers.folderImage(parameters.text("token")) }
        get("/assets/:name", .image) { _, parameters in try Assets.answer(parameters.text("name")) }
        post("/api/marks") { visit, _ in try handlers.mark(visit) }
        post("/votes") { visit, _ in try handlers.vote(visit) }
        post("/selections") { visit, _ in try handlers.changeSelection(visit) }
        return router
    }
}

extension Parameters {
    /// A part of the path; empty for one that the route does not have.
    func text(_ name: String) -> String { self[Substring(name)].map(String.init) ?? "" }
}
