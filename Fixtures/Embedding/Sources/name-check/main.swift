import Glibc
import TunnelDomain

// Culvert's pure rules alone: no server, no network, no file.
//   name-check NAME…    tells which may be a tunnel's name; exit status 1 when one may not
var refusedCount = 0
for text in CommandLine.arguments.dropFirst() {
    do throws(TunnelNameError) {
        print("\(try TunnelName(validating: text)): may be a tunnel's name")
    } catch {
        print("\(text): \(error.explanation)")
        refusedCount += 1
    }
}

// How certificates' lifetimes decide when they are renewed.
let begin = Timestamp(secondsSinceEpoch: 1_800_000_000)
let plan = RenewalPlan(of: CertificateValidity(notBefore: begin, notAfter: begin + .seconds(90 * 86_400)))
print("a certificate of 90 days: renewed from day \((plan.renewFrom - begin).components.seconds / 86_400) on")

exit(refusedCount == 0 ? 0 : 1)
