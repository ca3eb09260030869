using System.Text.Json;
using System.Text.Json.Nodes;

namespace Platform.HeavyTasks.Http;

/// <summary>A kind that a worker announced: its parameters are checked by the schema, which is compiled when it is first needed.</summary>
internal sealed partial class SchemaKind : AcceptedKind
{
    private readonly AnnouncedKind row;
    private readonly Lazy<(JsonNode Shown, CompiledSchema? Compiled)> schema;

    public SchemaKind(AnnouncedKind row, ILogger logger)
        : base(row.Name, row.Description)
    {
        this.row = row;
        schema = new(() => Compile(row, logger));
    }

    public override JsonNode Schema => schema.Value.Shown;

    /// <summary>Whether this is what the row says.</summary>
    public bool IsOf(AnnouncedKind other) =>
        row.Name == other.Name && row.Description == other.Description && row.ParametersSchema == other.ParametersSchema;

    public override string? Read(JsonElement written, string kindField, string path, FieldErrors errors)
    {
        if (schema.Value.Compiled is { } compiled)
        {
            return compiled.Read(written, path, errors);
        }

        // Unchecked parameters would be stored, and fail later where nobody can tell the client.
        errors.Add(kindField, "Tasks of this kind cannot be submitted: the worker announced parameters that this service cannot check.");
        return null;
    }

    private static (JsonNode, CompiledSchema?) Compile(AnnouncedKind row, ILogger logger)
    {
        try
        {
            var compiled = CompiledSchema.Compile(row.ParametersSchema);
            return (JsonNode.Parse(row.ParametersSchema)!, compiled);
        }
        catch (JsonException exception)
        {
            Refused(logger, row.Name, row.Service, exception.Message);
            return (new JsonObject(), null);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Kind {Kind}, announced by {Service}, is not accepted: its schema cannot be used. {Reason}"
    )]
    private static partial void Refused(ILogger logger, string kind, string service, string reason);
}
