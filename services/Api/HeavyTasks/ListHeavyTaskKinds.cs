using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Platform.Api.HeavyTasks;

internal static class ListHeavyTaskKinds
{
    private static readonly Lazy<IReadOnlyList<HeavyTaskKindResponse>> Kinds = new(() =>
        [.. AcceptedKinds.ByName.Values.OrderBy(k => k.Name).Select(k => new HeavyTaskKindResponse(k.Name, k.Description, Schema(k)))]
    );

    /// <summary>The kinds that can be submitted, each with the JSON schema of its parameters.</summary>
    public static Ok<IReadOnlyList<HeavyTaskKindResponse>> Handle() => TypedResults.Ok(Kinds.Value);

    private static JsonNode Schema(AcceptedKind kind) =>
        kind.Parameters.GetJsonSchemaAsNode(
            new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = AddLimits }
        );

    private static JsonNode AddLimits(JsonSchemaExporterContext context, JsonNode schema)
    {
        var attributes = context.PropertyInfo?.AttributeProvider?.GetCustomAttributes(typeof(ValidationAttribute), inherit: true) ?? [];
        foreach (var attribute in attributes)
        {
            if (attribute is StringLengthAttribute length)
            {
                schema["minLength"] = length.MinimumLength;
                schema["maxLength"] = length.MaximumLength;
            }
            else if (attribute is RangeAttribute { OperandType: var type } range && type != typeof(string))
            {
                schema["minimum"] = JsonValue.Create(range.Minimum);
                schema["maximum"] = JsonValue.Create(range.Maximum);
            }
            else if (attribute is RegularExpressionAttribute pattern)
            {
                schema["pattern"] = pattern.Pattern;
            }
        }

        return schema;
    }
}

/// <summary>A kind of heavy task.</summary>
/// <param name="Kind">Its name.</param>
/// <param name="Description">What it does.</param>
/// <param name="Parameters">JSON schema of its parameters.</param>
internal sealed record HeavyTaskKindResponse(string Kind, string Description, JsonNode Parameters);
