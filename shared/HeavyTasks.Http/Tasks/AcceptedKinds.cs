using System.Collections.Frozen;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Options;
using Platform.Contracts;

namespace Platform.HeavyTasks.Http;

/// <summary>A kind that clients may submit.</summary>
/// <param name="name">Its name.</param>
/// <param name="description">One sentence for people.</param>
internal abstract class AcceptedKind(string name, string description)
{
    private static readonly JsonElement NoParameters = JsonElement.Parse("{}");

    /// <summary>Its name.</summary>
    public string Name => name;

    /// <summary>One sentence for people.</summary>
    public string Description => description;

    /// <summary>The JSON schema of the parameters.</summary>
    public abstract JsonNode Schema { get; }

    /// <summary>Reads parameters, and returns them as they are stored; null when something was added to <paramref name="errors"/>.</summary>
    /// <param name="written">What the client sent, as <see cref="RequestJson.ReadAsync"/> returned it.</param>
    /// <param name="kindField">The name of the field that named the kind.</param>
    /// <param name="path">The name of the parameters in the request.</param>
    /// <param name="errors">Receives what is wrong.</param>
    public abstract string? Read(JsonElement written, string kindField, string path, FieldErrors errors);

    /// <summary>The parameters given, or an empty object for a request without any.</summary>
    public static JsonElement ParametersOrNone(JsonElement? parameters) => parameters ?? NoParameters;
}

/// <summary>A kind that this service was built with: its parameters are read into their record, by <see cref="RequestJson.Options"/>.</summary>
internal sealed class TypedKind(string name, string description, JsonTypeInfo parameters) : AcceptedKind(name, description)
{
    private readonly Lazy<JsonNode> schema = new(() => ParameterSchema.Of(parameters.Type));

    /// <summary>The parameter record.</summary>
    public Type ParametersType => parameters.Type;

    /// <summary>Whether the parameters have a member that must be given.</summary>
    public bool NeedsParameters => parameters.Properties.Any(property => property.IsRequired);

    public override JsonNode Schema => schema.Value;

    public override string? Read(JsonElement written, string kindField, string path, FieldErrors errors) =>
        RequestReader.Read(written, parameters, path, errors) is { } read ? WrittenParameters.Of(written, read, parameters) : null;
}

/// <summary>The kinds that this service was built with, found by the <see cref="HeavyTaskKindAttribute"/> of their parameter records.</summary>
internal sealed class AcceptedKinds
{
    private readonly FrozenDictionary<string, TypedKind> byName;

    /// <exception cref="InvalidOperationException">A type names no kind, or two types name the same kind.</exception>
    public AcceptedKinds(IEnumerable<Type> types)
    {
        var kinds = new Dictionary<string, TypedKind>(StringComparer.Ordinal);
        foreach (var type in types.Distinct())
        {
            var kind =
                type.GetCustomAttribute<HeavyTaskKindAttribute>()
                ?? throw new InvalidOperationException($"{type} has no HeavyTaskKind attribute, which names its kind.");
            var accepted = new TypedKind(kind.Name, kind.Description, RequestJson.Options.GetTypeInfo(type));
            if (!kinds.TryAdd(kind.Name, accepted))
            {
                throw new InvalidOperationException(
                    $"A kind has one record of parameters, and {kind.Name} has two: {kinds[kind.Name].ParametersType} and {type}."
                );
            }
        }

        byName = kinds.ToFrozenDictionary(StringComparer.Ordinal);
        All = [.. kinds.Values.OrderBy(kind => kind.Name, StringComparer.Ordinal)];
    }

    /// <summary>All kinds, ordered by name.</summary>
    public IReadOnlyList<TypedKind> All { get; }

    /// <summary>The kind with this name, or null.</summary>
    public TypedKind? Find(string name) => byName.GetValueOrDefault(name);
}

/// <summary>
/// All kinds that clients may submit: those that this service was built with, which need no look at the database, and those that workers
/// announced. Of two with the same name the first wins, because a record checks more than a schema can say.
/// </summary>
internal sealed class KnownKinds(AcceptedKinds builtIn, AnnouncedKinds announced, IOptions<SubmitHeavyTaskOptions> options)
{
    /// <summary>The kind with this name, or null.</summary>
    public async ValueTask<AcceptedKind?> FindAsync(string name, CancellationToken cancellationToken) =>
        builtIn.Find(name) is { } kind ? kind
        : options.Value.AcceptAnnouncedKinds ? await announced.FindAsync(name, cancellationToken)
        : null;

    /// <summary>All kinds, ordered by name.</summary>
    public async ValueTask<IReadOnlyList<AcceptedKind>> ListAsync(CancellationToken cancellationToken)
    {
        if (!options.Value.AcceptAnnouncedKinds)
        {
            return builtIn.All;
        }

        var others = (await announced.ListAsync(cancellationToken)).Where(kind => builtIn.Find(kind.Name) is null);
        return [.. builtIn.All.Concat(others).OrderBy(kind => kind.Name, StringComparer.Ordinal)];
    }
}
