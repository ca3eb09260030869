using Platform.Contracts;

namespace Shop;

[HeavyTaskKind("shop.invoice", Description = "Writes the invoice of an order.")]
public sealed record WriteInvoice(int OrderId);
