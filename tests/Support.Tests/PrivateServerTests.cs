using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Persistence;
using RabbitMQ.Client.Exceptions;

namespace Platform.Support.Tests;

public sealed class PrivateServerTests
{
    [Fact]
    public async Task Broker_keeps_its_address_and_its_messages_over_kill_and_restart()
    {
        await using var broker = await PrivateBroker.CreateAsync("consumer_timeout = 60000");
        var uri = broker.Uri;
        await broker.VirtualHost.DeclareQueueAsync("letters", "amq.fanout");
        await broker.VirtualHost.PublishAsync("", "letters", "kept"u8.ToArray(), "text/plain");

        await broker.KillAsync();
        await Should.ThrowAsync<BrokerUnreachableException>(() => broker.VirtualHost.QueueDepthAsync("letters"));
        await broker.StartAsync();
        broker.Uri.ShouldBe(uri);
        (await broker.VirtualHost.QueueDepthAsync("letters")).ShouldBe(1u);

        await broker.RestartAsync();
        (await broker.VirtualHost.TakeMessagesAsync("letters")).ShouldBe(["kept"]);
    }

    [Fact]
    public async Task Database_keeps_its_address_and_its_rows_over_kill_and_restart()
    {
        await using var database = await PrivateDatabase.CreateAsync("max_connections=20");
        var connectionString = database.ConnectionString;
        await using (var db = database.CreateContext())
        {
            db.Users.Add(new User { ExternalId = "1", Name = "Ada" });
            await db.SaveChangesAsync();
        }

        await database.KillAsync();
        await using (var db = database.CreateContext())
        {
            (await db.Database.CanConnectAsync()).ShouldBeFalse();
        }

        await database.StartAsync();
        database.ConnectionString.ShouldBe(connectionString);
        await database.RestartAsync();
        await using var after = database.CreateContext();
        (await after.Users.SingleAsync()).Name.ShouldBe("Ada");
    }
}
