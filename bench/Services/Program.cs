// Services that are measured and are not part of the system, each as its own process; the first argument says which.
using Platform.Services;

switch (args)
{
    case ["row-worker", .. var rest]:
        await Workers.RunAsync("row-worker", typeof(WriteRow), rest);
        break;
    case ["holding-worker", .. var rest]:
        await Workers.RunAsync("worker", typeof(HoldConnection), rest);
        break;
    case ["outbox", .. var rest]:
        await OutboxService.RunAsync(rest);
        break;
    case ["web", .. var rest]:
        await WebService.RunAsync(rest);
        break;
    default:
        Console.Error.WriteLine("row-worker, holding-worker, outbox or web is expected.");
        return 2;
}

return 0;
