using System.Collections.Frozen;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Platform.Contracts;
using Platform.Persistence;

namespace Platform.Api.HeavyTasks;

/// <summary>A kind that this service accepts.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">One sentence for people.</param>
/// <param name="Parameters">Its parameter record, read by <see cref="HeavyTaskJson.Options"/>.</param>
internal sealed record AcceptedKind(string Name, string Description, JsonTypeInfo Parameters)
{
    private static readonly JsonElement NoParameters = JsonElement.Parse("{}");

    /// <summary>What a request without parameters stands for.</summary>
    public static JsonElement ParametersOrNone(JsonElement? parameters) => parameters ?? NoParameters;
}

/// <summary>The kinds: every record of the application that carries a <see cref="HeavyTaskKindAttribute"/>.</summary>
internal static class AcceptedKinds
{
    /// <summary>By name.</summary>
    public static FrozenDictionary<string, AcceptedKind> ByName { get; } = Find().ToFrozenDictionary(kind => kind.Name);

    private static IEnumerable<AcceptedKind> Find() =>
        from type in typeof(PlatformDbContext).Assembly.GetTypes()
        let kind = type.GetCustomAttribute<HeavyTaskKindAttribute>()
        where kind is not null
        orderby kind.Name
        select new AcceptedKind(kind.Name, kind.Description, HeavyTaskJson.Options.GetTypeInfo(type));
}
