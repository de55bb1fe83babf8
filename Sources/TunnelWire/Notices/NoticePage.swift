/// A notice as a person sees it in a browser: one small page, no script, nothing loaded from anywhere.
package enum NoticePage {
    /// Lets the browser use the style below and nothing else at all.
    package static let securityPolicy =
        "default-src 'none'; style-src '\(styleHash)'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    /// Of `style`, as Content Security Policy names it; a test computes it anew.
    package static let styleHash = "sha256-Yi/ei9eKUsUPrbsLRGoDBTi/WlNILn1byZAoH4Tcifc="

    /// What stands between `<style>` and `</style>`.
    package static let style = """
        :root{color-scheme:light dark;--paper:#fff;--ink:#1c1f24;--soft:#5a626e;--line:#d9dde3;--mark:#b3400a}
        @media(prefers-color-scheme:dark){:root{--paper:#15181c;--ink:#e8eaed;--soft:#a3abb6;--line:#353b43;--mark:#ff9d66}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.55 system-ui,-apple-system,"Segoe UI",sans-serif}
        main{max-width:38rem;margin:0 auto;padding:clamp(2.5rem,14vh,8rem) 1.5rem 3rem}
        .status{margin:0;color:var(--mark);font-weight:600;letter-spacing:.02em}
        h1{margin:.2rem 0 .8rem;font-size:clamp(1.6rem,5vw,2.1rem);line-height:1.2;font-weight:650}
        .reason{margin:0;font-size:1.125rem}
        h2{margin:1.8rem 0 .2rem;font-size:1rem;font-weight:650}
        p{margin:0}
        dl{margin:2.4rem 0 0;padding-top:1.1rem;border-top:1px solid var(--line);color:var(--soft);font-size:.875rem;
        display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem}
        dd{margin:0;overflow-wrap:anywhere;font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
        """

    /// The whole page; the notice's texts are escaped.
    package static func html(_ notice: TunnelNotice, requestID: String) -> String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="robots" content="noindex">
        <title>\(escaped(notice.title))</title>
        <style>\(style)</style>
        </head>
        <body>
        <main>
        <p class="status">\(notice.status) \(HTTPReasonPhrase.phrase(for: notice.status))</p>
        <h1>\(escaped(notice.title))</h1>
        <p class="reason">\(escaped(notice.reason))</p>
        \(section("What you can do", notice.forVisitor))\(section("If this tunnel is yours", notice.forOwner))<dl>
        <dt>Reason</dt><dd>\(escaped(notice.code))</dd>
        <dt>Request</dt><dd>\(escaped(requestID))</dd>
        </dl>
        </main>
        </body>
        </html>

        """
    }

    private static func section(_ heading: String, _ text: String) -> String {
        text.isEmpty ? "" : "<h2>\(heading)</h2>\n<p>\(escaped(text))</p>\n"
    }

    static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
