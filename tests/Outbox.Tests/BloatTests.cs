using System.Globalization;
using System.Text.RegularExpressions;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Platform.Support;

namespace Platform.Outbox.Tests;

public sealed partial class BloatTests : OutboxTest
{
    private readonly ShiftedTime time = new();

    [Fact]
    public async Task After_100_000_messages_the_table_is_empty_and_as_quick_to_scan_as_at_the_start()
    {
        await SendAsync(1000);
        await VacuumedAsync();
        var before = await ScannedPagesAsync();

        var most = 0;
        for (var sent = 0; sent < 100_000; sent += 5000)
        {
            await SendAsync(5000);
            most = Math.Max(most, await ScannedPagesAsync());
        }

        most.ShouldBeGreaterThan(100);
        await VacuumedAsync();
        (await ScannedPagesAsync()).ShouldBeLessThanOrEqualTo(before);
    }

    internal override Task<Shop> StartShopAsync() => Shop.StartAsync(
        Database.ConnectionString, Broker.Uri, services => services.AddSingleton<TimeProvider>(time));

    [GeneratedRegex(@"shared hit=(?<hit>\d+)|read=(?<read>\d+)")]
    private static partial Regex Buffers();

    // To an exchange without queue: the broker confirms, and no test has to empty a queue.
    private async Task SendAsync(int count)
    {
        foreach (var messages in Enumerable.Range(1, count).Chunk(1000))
        {
            await using var customer = Shop.NewCustomer();
            var endpoint = await customer.SendEndpointProvider.GetSendEndpoint(new Uri("exchange:nowhere"));
            foreach (var number in messages)
            {
                await endpoint.Send(new OrderPlaced(number));
            }

            await customer.Db.SaveChangesAsync();
        }

        await Eventually.Async(async () => await Shop.CountAsync() == 0, Shop.Soon);
    }

    // Two quarters of a minute without traffic.
    private async Task VacuumedAsync()
    {
        for (var quarter = 0; quarter < 2; quarter++)
        {
            time.Forward(TimeSpan.FromSeconds(15));
            var sweeps = Shop.Store.Claims;
            await Eventually.Async(() => Shop.Store.Claims >= sweeps + 2, Shop.Soon);
        }
    }

    private async Task<int> ScannedPagesAsync()
    {
        await using var connection = new NpgsqlConnection(Database.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            "SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off; EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) SELECT count(error) FROM shop.outbox_messages",
            connection);
        await using var reader = await command.ExecuteReaderAsync();
        var plan = new List<string>();
        while (await reader.ReadAsync())
        {
            plan.Add(reader.GetString(0));
        }

        plan.ShouldContain(line => line.Contains("Seq Scan"));
        var scan = plan.SkipWhile(line => !line.Contains("Seq Scan")).Skip(1).TakeWhile(line => !line.Contains("Planning")).FirstOrDefault(line => line.Contains("Buffers")) ?? "";
        return Buffers().Matches(scan).Sum(match => Number(match.Groups["hit"]) + Number(match.Groups["read"]));

        static int Number(Group group) => group.Success ? int.Parse(group.Value, CultureInfo.InvariantCulture) : 0;
    }
}
