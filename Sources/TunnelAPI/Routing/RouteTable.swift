/// Everything that is served; what is not in the table does not exist.
struct RouteTable: Sendable {
    let routes: [Route]

    enum Match {
        case route(Route, parameters: [String])
        /// The path is served, but not for this method.
        case otherMethods([String])
        case nothing

        /// What is not served costs as much as what is.
        var isMetered: Bool {
            switch self {
            case .route(let route, _): route.isMetered
            case .otherMethods, .nothing: true
            }
        }
    }

    /// Finds the route; HEAD is answered like GET.
    func match(method: String, path: String) -> Match {
        let segments = RoutePattern.split(path)
        guard path.hasPrefix("/") else { return .nothing }
        var methods: [String] = []
        for route in routes {
            guard let parameters = route.pattern.match(segments) else { continue }
            if route.method == method || (route.method == "GET" && method == "HEAD") {
                return .route(route, parameters: parameters)
            }
            methods += route.method == "GET" ? ["GET", "HEAD"] : [route.method]
        }
        return methods.isEmpty ? .nothing : .otherMethods(methods)
    }
}
