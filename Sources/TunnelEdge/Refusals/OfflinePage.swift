/// What a person sees in a browser: self-contained, no script, nothing loaded from anywhere.
enum OfflinePage {
    /// All text is our own and holds no markup; the request id is hexadecimal.
    static func html(_ refusal: Refusal, requestID: String) -> String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(refusal.title)</title>
        <style>
        :root { color-scheme: light dark; }
        body { font: 1rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 15vh auto 0; padding: 0 1.5rem; }
        h1 { font-size: 1.5rem; margin: 0 0 .5rem; }
        p { margin: 0 0 1rem; }
        .facts { font: .85rem/1.5 ui-monospace, monospace; opacity: .75; border-top: 1px solid; padding-top: 1rem; }
        </style>
        </head>
        <body>
        <main>
        <h1>\(refusal.title)</h1>
        <p>\(refusal.detail)</p>
        <p class="facts">\(refusal.status) · \(refusal.code)<br>request \(requestID)</p>
        </main>
        </body>
        </html>

        """
    }
}
