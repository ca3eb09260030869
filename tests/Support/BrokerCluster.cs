namespace Platform.Support;

/// <summary>A RabbitMQ cluster of one test, all its nodes on this machine. A minority that is cut off pauses until it sees the others again.</summary>
public sealed class BrokerCluster : IAsyncDisposable
{
    private readonly string folder = Servers.NewFolder("cluster");
    private readonly List<PrivateBroker> nodes = [];
    private readonly List<string> names = [];

    private BrokerCluster() { }

    /// <summary>The nodes, each of which can be stopped, killed and started again.</summary>
    public IReadOnlyList<PrivateBroker> Nodes => nodes;

    /// <summary>The names of <see cref="Nodes"/> in the cluster.</summary>
    public IReadOnlyList<string> Names => names;

    /// <summary>Creates and starts the nodes, one after the other.</summary>
    public static async Task<BrokerCluster> CreateAsync(int count)
    {
        var cluster = new BrokerCluster();
        try
        {
            Directory.CreateDirectory(cluster.folder);
            await File.WriteAllTextAsync(Path.Combine(cluster.folder, "cluster"), "");
            for (var i = 0; i < count; i++)
            {
                await cluster.AddAsync();
            }

            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Cuts a node off: the others and it refuse each other, while clients reach all of them.</summary>
    public Task CutOffAsync(int node) =>
        nodes[node].EvaluateAsync("[begin erlang:set_cookie(N, cut_off), erlang:disconnect_node(N) end || N <- nodes()].");

    /// <summary>Ends <see cref="CutOffAsync"/>.</summary>
    public Task JoinAgainAsync(int node) =>
        nodes[node]
            .EvaluateAsync(
                $"[erlang:set_cookie(N, erlang:get_cookie()) || N <- [{string.Join(", ", names.Where((_, i) => i != node).Select(n => $"'{n}'"))}]]."
            );

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes)
        {
            await node.DisposeAsync();
        }

        await Servers.RunScriptAsync("kill", "rabbitmq", folder);
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // The first node starts alone, and each other one joins it at its first start.
    private async Task AddAsync()
    {
        var place = Path.Combine(folder, $"node{nodes.Count + 1}");
        Directory.CreateDirectory(place);
        names.Add($"platform-{Guid.NewGuid().ToString("N")[..8]}@localhost");
        await File.WriteAllTextAsync(Path.Combine(place, "node"), names[^1]);
        string[] known = names.Count == 1 ? [names[0]] : [names[0], names[^1]];
        nodes.Add(
            await PrivateBroker.CreateInAsync(
                place,
                [
                    "cluster_partition_handling = pause_minority",
                    "cluster_formation.peer_discovery_backend = classic_config",
                    .. known.Select((name, i) => $"cluster_formation.classic_config.nodes.{i + 1} = {name}"),
                ]
            )
        );
    }
}
