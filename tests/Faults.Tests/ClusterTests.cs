using System.Globalization;
using Platform.Support;

namespace Platform.Faults.Tests;

public sealed class ClusterTests
{
    private const string Queue = "heavy-task.fault.count";
    private const int Size = 3;

    [Fact(Explicit = true)]
    public async Task Nodes_of_a_broker_cluster_may_die_or_lose_sight_of_the_others()
    {
        await using var cluster = await BrokerCluster.CreateAsync(Size);
        var settings = cluster
            .Nodes.Select((node, i) => ($"RabbitMq__Nodes__{i.ToString(CultureInfo.InvariantCulture)}", node.Uri.Authority))
            .ToDictionary();
        await Disaster.SurviveAsync(
            await PrivateDatabase.CreateAsync(DatabaseFaults.ServerSettings),
            cluster.Nodes[0],
            async system =>
            {
                await OnlineAsync(cluster, Size, seenFrom: 0);
                for (var round = 0; round < 2; round++)
                {
                    var victim = await BusiestAsync(cluster);
                    await cluster.Nodes[victim].KillAsync();
                    await OnlineAsync(cluster, Size - 1, seenFrom: (victim + 1) % Size);
                    await Disaster.AcceptAsync(system, 150);
                    await cluster.Nodes[victim].StartAsync();
                    await OnlineAsync(cluster, Size, seenFrom: 0);
                }

                var node = await BusiestAsync(cluster);
                await cluster.CutOffAsync(node);
                await OnlineAsync(cluster, Size - 1, seenFrom: (node + 1) % Size);
                await Disaster.AcceptAsync(system, 300);
                await cluster.JoinAgainAsync(node);
                await OnlineAsync(cluster, Size, seenFrom: 0);
            },
            settings
        );
    }

    // The node that most connections of the services lead to.
    private static async Task<int> BusiestAsync(BrokerCluster cluster)
    {
        var connections = await cluster.Nodes[0].VirtualHost.ConnectionsByNodeAsync();
        Disaster.Write(string.Join(", ", connections));
        return Enumerable.Range(0, Size).MaxBy(node => connections.GetValueOrDefault(cluster.Names[node]));
    }

    private static async Task OnlineAsync(BrokerCluster cluster, int members, int seenFrom) =>
        await Eventually.Async(
            async () => await cluster.Nodes[seenFrom].VirtualHost.OnlineMembersAsync(Queue) == members,
            TimeSpan.FromSeconds(60),
            $"the queue has {members} members"
        );
}
