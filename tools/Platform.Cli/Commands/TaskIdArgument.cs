using System.CommandLine;

namespace Platform.Cli.Commands;

/// <summary>The argument that names a task by its id.</summary>
internal static class TaskIdArgument
{
    public static Argument<Guid> Create() =>
        new("id")
        {
            Description = "The task's id",
            CustomParser = result =>
            {
                if (!Guid.TryParse(result.Tokens[0].Value, out var id))
                {
                    result.AddError($"'{result.Tokens[0].Value}' is not a task's id.");
                }

                return id;
            },
        };
}
