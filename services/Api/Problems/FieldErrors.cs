using Microsoft.AspNetCore.Http.HttpResults;

namespace Platform.Api.Problems;

/// <summary>What is wrong with a request, by the name of the field as the client wrote it, such as <c>parameters.columns.externalId</c>.</summary>
internal sealed class FieldErrors
{
    private Dictionary<string, List<string>>? errors;

    public bool Any => errors is not null;

    public void Add(string field, string message)
    {
        errors ??= [];
        if (!errors.TryGetValue(field, out var messages))
        {
            errors[field] = messages = [];
        }

        messages.Add(message);
    }

    /// <summary>400 with <c>errors</c>.</summary>
    public ValidationProblem ToProblem() =>
        TypedResults.ValidationProblem(
            (errors ?? []).Select(e => KeyValuePair.Create(e.Key, e.Value.ToArray())),
            title: "The request is not valid."
        );
}
