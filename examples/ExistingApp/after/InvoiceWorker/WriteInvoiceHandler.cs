using Platform.HeavyTasks;
using Shop;

namespace InvoiceWorker;

/// <summary>The context belongs to this attempt alone. What it tracks at the end is saved together with the task's new status.</summary>
public sealed class WriteInvoiceHandler(ShopDbContext db) : HeavyTaskHandler<WriteInvoice>
{
    public override Task RunAsync(HeavyTaskContext<WriteInvoice> context) =>
        InvoiceWriter.WriteAsync(db, context.Parameters.OrderId, context.CancellationToken);
}
