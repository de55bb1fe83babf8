extension Problem {
    static let noSuchWebhook = Problem(
        404, "no-such-webhook", title: "No such webhook",
        detail: "There is no webhook with this id among yours; list them with GET /api/v1/webhooks/subscriptions.")

    static let noSuchDelivery = Problem(
        404, "no-such-delivery", title: "No such delivery",
        detail: "There is no delivery with this id among yours; it may be too old to be kept.")

    static func tooManyWebhooks(max: Int) -> Problem {
        Problem(
            409, "too-many-webhooks", title: "Too many webhooks",
            detail: "This organization has \(max) webhooks, which is as many as it may; delete one of them first.")
    }
}
